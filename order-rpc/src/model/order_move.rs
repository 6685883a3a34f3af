//! The table `order_moves`: the history of every order, one row a move, from 1 without gaps.

use shared::error::Result;
use shared::store::sql::{Db, Tx};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, FromRow, Row};

use super::places;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderMove {
    pub(crate) order_id: String,
    pub(crate) seq: i64,
    /// Empty for the first.
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) reason: String,
    /// A user's id, or this service.
    pub(crate) actor: String,
    pub(crate) at: i64,
}

impl FromRow<'_, AnyRow> for OrderMove {
    fn from_row(row: &AnyRow) -> Result<OrderMove, sqlx::Error> {
        Ok(OrderMove {
            order_id: row.try_get("order_id")?,
            seq: row.try_get("seq")?,
            from: row.try_get("from_status")?,
            to: row.try_get("to_status")?,
            reason: row.try_get("reason")?,
            actor: row.try_get("actor")?,
            at: row.try_get("at")?,
        })
    }
}

pub(crate) async fn insert(tx: &mut Tx, step: &OrderMove) -> Result<()> {
    sqlx::query(
        "INSERT INTO order_moves (order_id, seq, from_status, to_status, reason, actor, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&step.order_id)
    .bind(step.seq)
    .bind(&step.from)
    .bind(&step.to)
    .bind(&step.reason)
    .bind(&step.actor)
    .bind(step.at)
    .execute(tx.named("order_moves.insert"))
    .await?;
    Ok(())
}

/// Of all these orders, oldest first.
pub(crate) async fn of_orders(db: &Db, order_ids: &[&str]) -> Result<Vec<OrderMove>> {
    if order_ids.is_empty() {
        return Ok(Vec::new());
    }
    let places = places(order_ids.len());
    // Nothing but question marks is made up here.
    let select = format!("SELECT * FROM order_moves WHERE order_id IN ({places}) ORDER BY order_id, seq");
    let mut select = sqlx::query_as(AssertSqlSafe(select));
    for id in order_ids {
        select = select.bind(*id);
    }
    Ok(select.fetch_all(db.named("order_moves.of_orders")).await?)
}

pub(crate) async fn of_order(tx: &mut Tx, order_id: &str) -> Result<Vec<OrderMove>> {
    let select = sqlx::query_as("SELECT * FROM order_moves WHERE order_id = ? ORDER BY seq").bind(order_id);
    Ok(select.fetch_all(tx.named("order_moves.of_order")).await?)
}
