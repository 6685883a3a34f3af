//! The table `orders`. `seq` counts the moves of an order, and guards them.

use proto::order::v1::{Address, Payment};
use proto::v1::Money;
use shared::error::Result;
use shared::store::sql::{Db, Tx};
use sqlx::any::AnyRow;
use sqlx::{FromRow, QueryBuilder, Row};

use super::{payment, strange};
use crate::status::Status;

#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) status: Status,
    pub(crate) seq: i64,
    pub(crate) total: Money,
    pub(crate) address: Address,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

impl FromRow<'_, AnyRow> for Order {
    fn from_row(row: &AnyRow) -> Result<Order, sqlx::Error> {
        let status: String = row.try_get("status")?;
        Ok(Order {
            id: row.try_get("id")?,
            user_id: row.try_get("user_id")?,
            status: Status::parse(&status).ok_or_else(|| strange("status of an order", &status))?,
            seq: row.try_get("seq")?,
            total: Money { amount: row.try_get("amount")?, currency: row.try_get("currency")? },
            address: Address {
                name: row.try_get("name")?,
                line1: row.try_get("line1")?,
                line2: row.try_get("line2")?,
                city: row.try_get("city")?,
                postal_code: row.try_get("postal_code")?,
                country: row.try_get("country")?,
            },
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}

/// An order with its latest payment, of one moment.
pub(crate) struct Shown {
    pub(crate) order: Order,
    pub(crate) payment: Option<Payment>,
}

impl FromRow<'_, AnyRow> for Shown {
    fn from_row(row: &AnyRow) -> Result<Shown, sqlx::Error> {
        let payment = match row.try_get::<Option<String>, _>("payment_status")? {
            None => None,
            Some(status) => Some(Payment {
                status: payment::shown(&status).to_owned(),
                card_brand: row.try_get("card_brand")?,
                card_last4: row.try_get("card_last4")?,
                paid_at_ms: row.try_get("paid_at")?,
            }),
        };
        Ok(Shown { order: Order::from_row(row)?, payment })
    }
}

pub(crate) async fn insert(tx: &mut Tx, order: &Order) -> Result<()> {
    sqlx::query(
        "INSERT INTO orders (id, user_id, status, seq, amount, currency, name, line1, line2, city, postal_code, country, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&order.id)
    .bind(&order.user_id)
    .bind(order.status.as_str())
    .bind(order.seq)
    .bind(order.total.amount)
    .bind(&order.total.currency)
    .bind(&order.address.name)
    .bind(&order.address.line1)
    .bind(&order.address.line2)
    .bind(&order.address.city)
    .bind(&order.address.postal_code)
    .bind(&order.address.country)
    .bind(order.created_at)
    .bind(order.expires_at)
    .execute(tx.named("orders.insert"))
    .await?;
    Ok(())
}

pub(crate) async fn by_id(db: &Db, id: &str) -> Result<Option<Order>> {
    let select = sqlx::query_as("SELECT * FROM orders WHERE id = ?").bind(id);
    Ok(select.fetch_optional(db.named("orders.by_id")).await?)
}

pub(crate) async fn by_id_in(tx: &mut Tx, id: &str) -> Result<Option<Order>> {
    let select = sqlx::query_as("SELECT * FROM orders WHERE id = ?").bind(id);
    Ok(select.fetch_optional(tx.named("orders.by_id")).await?)
}

/// One guarded move; `false` where another came first.
pub(crate) async fn advance(tx: &mut Tx, order: &Order, to: Status) -> Result<bool> {
    let update = "UPDATE orders SET status = ?, seq = seq + 1 WHERE id = ? AND status = ? AND seq = ?";
    let update =
        sqlx::query(update).bind(to.as_str()).bind(&order.id).bind(order.status.as_str()).bind(order.seq);
    Ok(update.execute(tx.named("orders.advance")).await?.rows_affected() == 1)
}

/// Those that nobody paid in time.
pub(crate) async fn overdue(db: &Db, now: i64, most: usize) -> Result<Vec<Order>> {
    let select = "SELECT * FROM orders WHERE status = ? AND expires_at <= ? ORDER BY expires_at LIMIT ?";
    let select = sqlx::query_as(select).bind(Status::PendingPayment.as_str()).bind(now).bind(most as i64);
    Ok(select.fetch_all(db.named("orders.overdue")).await?)
}

/// One statement, so that order and payment fit together. An attempt that failed is never shown in place of one that did
/// not, whatever the clocks of those who wrote them said.
const SHOWN: &str = "SELECT o.*, p.status AS payment_status, p.card_brand, p.card_last4, p.paid_at
     FROM orders o LEFT JOIN payments p ON p.id =
         (SELECT l.id FROM payments l WHERE l.order_id = o.id
          ORDER BY l.status IN ('declined', 'void'), l.created_at DESC, l.id DESC LIMIT 1)
     WHERE ";

pub(crate) async fn shown(db: &Db, id: &str) -> Result<Option<Shown>> {
    let mut select = QueryBuilder::<sqlx::Any>::new(SHOWN);
    select.push("o.id = ").push_bind(id.to_owned());
    Ok(select.build_query_as().fetch_optional(db.named("orders.shown")).await?)
}

pub(crate) async fn shown_in(tx: &mut Tx, id: &str) -> Result<Option<Shown>> {
    let mut select = QueryBuilder::<sqlx::Any>::new(SHOWN);
    select.push("o.id = ").push_bind(id.to_owned());
    Ok(select.build_query_as().fetch_optional(tx.named("orders.shown")).await?)
}

/// What a list shows.
pub(crate) struct Filter<'a> {
    /// Empty for all customers.
    pub(crate) user_id: &'a str,
    pub(crate) status: Option<Status>,
}

/// Newest first, at most `most`, after the order `after`.
pub(crate) async fn list(
    db: &Db,
    filter: &Filter<'_>,
    after: Option<String>,
    most: usize,
) -> Result<Vec<Shown>> {
    let mut select = QueryBuilder::<sqlx::Any>::new(SHOWN);
    select.push("1 = 1");
    if !filter.user_id.is_empty() {
        select.push(" AND o.user_id = ").push_bind(filter.user_id.to_owned());
    }
    if let Some(status) = filter.status {
        select.push(" AND o.status = ").push_bind(status.as_str());
    }
    if let Some(after) = after {
        select.push(" AND o.id < ").push_bind(after);
    }
    select.push(" ORDER BY o.id DESC LIMIT ").push_bind(most as i64);
    Ok(select.build_query_as().fetch_all(db.named("orders.list")).await?)
}
