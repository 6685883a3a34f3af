//! The table `stock_moves`: every change of what is on hand, with its cause.

use shared::clock;
use shared::error::Result;
use shared::store::sql::Tx;
use uuid::Uuid;

/// Fails with a duplicate where the cause has moved as much of the product already.
pub(crate) async fn insert(
    tx: &mut Tx,
    product_id: &str,
    delta: i64,
    reason: &str,
    cause: &str,
) -> Result<()> {
    let insert = sqlx::query(
        "INSERT INTO stock_moves (id, product_id, delta, reason, cause, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    );
    let insert = insert
        .bind(Uuid::now_v7().to_string())
        .bind(product_id)
        .bind(delta)
        .bind(reason)
        .bind(cause)
        .bind(clock::wall_ms());
    insert.execute(tx.named("stock_moves.insert")).await?;
    Ok(())
}
