//! The table `order_lines`: what was ordered, with the names and prices of that time. It never changes.

use shared::error::Result;
use shared::store::sql::{Db, Tx};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, FromRow, Row};

use super::places;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderLine {
    pub(crate) order_id: String,
    pub(crate) product_id: String,
    pub(crate) name: String,
    pub(crate) quantity: i32,
    pub(crate) unit_price: i64,
}

impl FromRow<'_, AnyRow> for OrderLine {
    fn from_row(row: &AnyRow) -> Result<OrderLine, sqlx::Error> {
        Ok(OrderLine {
            order_id: row.try_get("order_id")?,
            product_id: row.try_get("product_id")?,
            name: row.try_get("name")?,
            quantity: row.try_get("quantity")?,
            unit_price: row.try_get("unit_price")?,
        })
    }
}

pub(crate) async fn insert(tx: &mut Tx, line: &OrderLine, position: usize) -> Result<()> {
    sqlx::query(
        "INSERT INTO order_lines (order_id, position, product_id, name, quantity, unit_price) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&line.order_id)
    .bind(position as i64)
    .bind(&line.product_id)
    .bind(&line.name)
    .bind(line.quantity)
    .bind(line.unit_price)
    .execute(tx.named("order_lines.insert"))
    .await?;
    Ok(())
}

/// Of all these orders, each in its own order.
pub(crate) async fn of_orders(db: &Db, order_ids: &[&str]) -> Result<Vec<OrderLine>> {
    if order_ids.is_empty() {
        return Ok(Vec::new());
    }
    let places = places(order_ids.len());
    // Nothing but question marks is made up here.
    let select =
        format!("SELECT * FROM order_lines WHERE order_id IN ({places}) ORDER BY order_id, position");
    let mut select = sqlx::query_as(AssertSqlSafe(select));
    for id in order_ids {
        select = select.bind(*id);
    }
    Ok(select.fetch_all(db.named("order_lines.of_orders")).await?)
}

pub(crate) async fn of_order(tx: &mut Tx, order_id: &str) -> Result<Vec<OrderLine>> {
    let select =
        sqlx::query_as("SELECT * FROM order_lines WHERE order_id = ? ORDER BY position").bind(order_id);
    Ok(select.fetch_all(tx.named("order_lines.of_order")).await?)
}
