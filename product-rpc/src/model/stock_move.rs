//! The table `stock_moves`: every change of what is on hand, with its cause.

use shared::clock;
use shared::error::Result;
use shared::store::sql::Tx;
use uuid::Uuid;

pub(crate) async fn insert(tx: &mut Tx, product_id: &str, delta: i64, reason: &str, cause: &str) -> Result<()> {
    let insert = "INSERT INTO stock_moves (id, product_id, delta, reason, cause, created_at) VALUES (?, ?, ?, ?, ?, ?)";
    sqlx::query(insert)
        .bind(Uuid::now_v7().to_string())
        .bind(product_id)
        .bind(delta)
        .bind(reason)
        .bind(cause)
        .bind(clock::wall_ms())
        .execute(tx.on())
        .await?;
    Ok(())
}
