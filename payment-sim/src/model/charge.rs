//! The table `charges`.

use shared::error::Result;
use shared::store::sql::{Db, Tx};
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Charge {
    pub id: String,
    pub key: String,
    pub status: Status,
    pub decline_code: Option<String>,
    pub amount: i64,
    pub currency: String,
    pub card_brand: String,
    pub card_last4: String,
    pub exp_month: i32,
    pub exp_year: i32,
    pub reference: String,
    pub created_at: i64,
    /// The charge is pending until then.
    pub decided_at: i64,
}

impl Charge {
    /// What was decided when it was made stays so where the clock was set back.
    pub(crate) fn is_decided(&self, now: i64) -> bool {
        self.decided_at <= now.max(self.created_at)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Succeeded,
    Declined,
    Voided,
    Refunded,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Succeeded => "succeeded",
            Status::Declined => "declined",
            Status::Voided => "voided",
            Status::Refunded => "refunded",
        }
    }

    fn parse(text: &str) -> Result<Status, sqlx::Error> {
        let all = [Status::Succeeded, Status::Declined, Status::Voided, Status::Refunded];
        let found = all.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| sqlx::Error::Decode(format!("`{text}` is no status of a charge").into()))
    }
}

impl FromRow<'_, AnyRow> for Charge {
    fn from_row(row: &AnyRow) -> Result<Charge, sqlx::Error> {
        Ok(Charge {
            id: row.try_get("id")?,
            key: row.try_get("charge_key")?,
            status: Status::parse(row.try_get("status")?)?,
            decline_code: row.try_get("decline_code")?,
            amount: row.try_get("amount")?,
            currency: row.try_get("currency")?,
            card_brand: row.try_get("card_brand")?,
            card_last4: row.try_get("card_last4")?,
            exp_month: row.try_get("exp_month")?,
            exp_year: row.try_get("exp_year")?,
            reference: row.try_get("reference")?,
            created_at: row.try_get("created_at")?,
            decided_at: row.try_get("decided_at")?,
        })
    }
}

const BY_KEY: &str = "SELECT * FROM charges WHERE charge_key = ?";

pub(crate) async fn by_key(db: &Db, key: &str) -> Result<Option<Charge>> {
    Ok(sqlx::query_as(BY_KEY).bind(key).fetch_optional(db.named("charges.by_key")).await?)
}

pub(crate) async fn by_key_in(tx: &mut Tx, key: &str) -> Result<Option<Charge>> {
    Ok(sqlx::query_as(BY_KEY).bind(key).fetch_optional(tx.named("charges.by_key")).await?)
}

/// Oldest first; `after` is the last id of the page before, empty for the first page.
pub(crate) async fn page(db: &Db, after: &str, most: i64) -> Result<Vec<Charge>> {
    let select = sqlx::query_as("SELECT * FROM charges WHERE id > ? ORDER BY id LIMIT ?");
    Ok(select.bind(after).bind(most).fetch_all(db.named("charges.page")).await?)
}

/// Fails with a duplicate where the key is known.
pub(crate) async fn insert(tx: &mut Tx, charge: &Charge) -> Result<()> {
    let insert =
        "INSERT INTO charges (id, charge_key, status, decline_code, amount, currency, card_brand, card_last4,
                  exp_month, exp_year, reference, created_at, decided_at)
                  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(insert)
        .bind(&charge.id)
        .bind(&charge.key)
        .bind(charge.status.as_str())
        .bind(&charge.decline_code)
        .bind(charge.amount)
        .bind(&charge.currency)
        .bind(&charge.card_brand)
        .bind(&charge.card_last4)
        .bind(charge.exp_month)
        .bind(charge.exp_year)
        .bind(&charge.reference)
        .bind(charge.created_at)
        .bind(charge.decided_at)
        .execute(tx.named("charges.insert"))
        .await?;
    Ok(())
}

/// Does nothing to a charge that has not succeeded by `now`.
pub(crate) async fn refund(tx: &mut Tx, key: &str, now: i64) -> Result<()> {
    let update = "UPDATE charges SET status = 'refunded'
                  WHERE charge_key = ? AND status = 'succeeded' AND (decided_at <= ? OR decided_at = created_at)";
    sqlx::query(update).bind(key).bind(now).execute(tx.named("charges.refund")).await?;
    Ok(())
}
