//! The table `payments`: one row an attempt to pay, whose id is the key of the charge at the provider.

use proto::v1::Money;
use shared::error::Result;
use shared::store::sql::{Db, Tx};
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::strange;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// The provider was asked, or is about to be.
    Pending,
    Succeeded,
    Declined,
    /// Nothing was charged, and nothing will be.
    Void,
    /// The money is owed back.
    RefundPending,
    Refunded,
}

const NAMES: [(Status, &str); 6] = [
    (Status::Pending, "pending"),
    (Status::Succeeded, "succeeded"),
    (Status::Declined, "declined"),
    (Status::Void, "void"),
    (Status::RefundPending, "refund_pending"),
    (Status::Refunded, "refunded"),
];

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        NAMES[self as usize].1
    }

    fn parse(name: &str) -> Option<Status> {
        NAMES.iter().find(|known| known.1 == name).map(|known| known.0)
    }
}

/// What customers see: to them an attempt that never happened is one that did not go through.
pub(crate) fn shown(status: &str) -> &str {
    if status == Status::Void.as_str() { Status::Declined.as_str() } else { status }
}

#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) id: String,
    pub(crate) order_id: String,
    pub(crate) status: Status,
    pub(crate) amount: Money,
    pub(crate) card_brand: String,
    pub(crate) card_last4: String,
    /// Empty unless it was declined.
    pub(crate) decline_code: String,
    pub(crate) created_at: i64,
    /// When the provider is asked next what became of it.
    pub(crate) check_at: i64,
    /// How often it was.
    pub(crate) checks: i64,
}

impl FromRow<'_, AnyRow> for Payment {
    fn from_row(row: &AnyRow) -> Result<Payment, sqlx::Error> {
        let status: String = row.try_get("status")?;
        Ok(Payment {
            id: row.try_get("id")?,
            order_id: row.try_get("order_id")?,
            status: Status::parse(&status).ok_or_else(|| strange("status of a payment", &status))?,
            amount: Money { amount: row.try_get("amount")?, currency: row.try_get("currency")? },
            card_brand: row.try_get("card_brand")?,
            card_last4: row.try_get("card_last4")?,
            decline_code: row.try_get("decline_code")?,
            created_at: row.try_get("created_at")?,
            check_at: row.try_get("check_at")?,
            checks: row.try_get("checks")?,
        })
    }
}

pub(crate) async fn insert(tx: &mut Tx, payment: &Payment) -> Result<()> {
    sqlx::query(
        "INSERT INTO payments
             (id, order_id, status, amount, currency, card_brand, card_last4, decline_code, created_at, paid_at, check_at, checks, owner, claimed_until)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, '', 0)",
    )
    .bind(&payment.id)
    .bind(&payment.order_id)
    .bind(payment.status.as_str())
    .bind(payment.amount.amount)
    .bind(&payment.amount.currency)
    .bind(&payment.card_brand)
    .bind(&payment.card_last4)
    .bind(&payment.decline_code)
    .bind(payment.created_at)
    .bind(payment.check_at)
    .bind(payment.checks)
    .execute(tx.named("payments.insert"))
    .await?;
    Ok(())
}

pub(crate) async fn by_id(tx: &mut Tx, id: &str) -> Result<Option<Payment>> {
    let select = sqlx::query_as("SELECT * FROM payments WHERE id = ?").bind(id);
    Ok(select.fetch_optional(tx.named("payments.by_id")).await?)
}

/// What becomes of a pending payment; `false` where that is known already.
pub(crate) async fn settle(
    tx: &mut Tx,
    id: &str,
    to: Status,
    decline_code: &str,
    paid_at: i64,
) -> Result<bool> {
    let update =
        "UPDATE payments SET status = ?, decline_code = ?, paid_at = ? WHERE id = ? AND status = 'pending'";
    let update = sqlx::query(update).bind(to.as_str()).bind(decline_code).bind(paid_at).bind(id);
    Ok(update.execute(tx.named("payments.settle")).await?.rows_affected() == 1)
}

/// The order's money is owed back; the id of its payment, or `None` where nothing was paid.
pub(crate) async fn owe(tx: &mut Tx, order_id: &str, check_at: i64) -> Result<Option<String>> {
    let select = "SELECT id FROM payments WHERE order_id = ? AND status = 'succeeded'";
    let paid = sqlx::query_scalar(select).bind(order_id).fetch_optional(tx.named("payments.paid")).await?;
    let Some(id) = paid else { return Ok(None) };
    let update = "UPDATE payments SET status = 'refund_pending', check_at = ?, checks = 0, claimed_until = 0
         WHERE id = ? AND status = 'succeeded'";
    let update = sqlx::query(update).bind(check_at).bind(&id);
    let owed = update.execute(tx.named("payments.owe")).await?.rows_affected() == 1;
    Ok(owed.then_some(id))
}

/// The money is back; the second time nothing changes.
pub(crate) async fn refunded(tx: &mut Tx, id: &str) -> Result<()> {
    let update = "UPDATE payments SET status = 'refunded' WHERE id = ? AND status = 'refund_pending'";
    sqlx::query(update).bind(id).execute(tx.named("payments.refunded")).await?;
    Ok(())
}

/// Asked again at `check_at`.
pub(crate) async fn check_at(tx: &mut Tx, id: &str, check_at: i64) -> Result<()> {
    let update = sqlx::query("UPDATE payments SET check_at = ? WHERE id = ?").bind(check_at).bind(id);
    update.execute(tx.named("payments.check_at")).await?;
    Ok(())
}

/// Whether somebody should ask about a payment, and nobody does. Reading needs no writer's turn.
pub(crate) async fn any_due(db: &Db, now: i64) -> Result<bool> {
    let select = "SELECT 1 FROM payments
         WHERE status IN ('pending', 'refund_pending') AND check_at <= ? AND claimed_until < ? LIMIT 1";
    let select = sqlx::query(select).bind(now).bind(now);
    Ok(select.fetch_optional(db.named("payments.any_due")).await?.is_some())
}

pub(crate) async fn due(tx: &mut Tx, now: i64, most: usize) -> Result<Vec<Payment>> {
    let select = "SELECT * FROM payments
         WHERE status IN ('pending', 'refund_pending') AND check_at <= ? AND claimed_until < ?
         ORDER BY check_at LIMIT ?";
    let select = sqlx::query_as(select).bind(now).bind(now).bind(most as i64);
    Ok(select.fetch_all(tx.named("payments.due")).await?)
}

/// Who has a payment to itself, and until when.
pub(crate) struct Claim<'a> {
    pub(crate) owner: &'a str,
    pub(crate) until: i64,
}

/// `false` where another was faster, or the payment has moved on. It is due again at `check_at`.
pub(crate) async fn claim(tx: &mut Tx, payment: &Payment, claim: &Claim<'_>, check_at: i64) -> Result<bool> {
    let update = "UPDATE payments SET owner = ?, claimed_until = ?, check_at = ?, checks = checks + 1
         WHERE id = ? AND status = ? AND checks = ?";
    let update = sqlx::query(update)
        .bind(claim.owner)
        .bind(claim.until)
        .bind(check_at)
        .bind(&payment.id)
        .bind(payment.status.as_str())
        .bind(payment.checks);
    Ok(update.execute(tx.named("payments.claim")).await?.rows_affected() == 1)
}

pub(crate) async fn give_up_claim(tx: &mut Tx, id: &str, owner: &str) -> Result<()> {
    let update = "UPDATE payments SET claimed_until = 0 WHERE id = ? AND owner = ?";
    sqlx::query(update).bind(id).bind(owner).execute(tx.named("payments.give_up_claim")).await?;
    Ok(())
}
