//! The stock of the table `products`. Each change is one conditional update, so that no two orders get the same piece, and
//! the table's checks hold after every statement.

use shared::error::Result;
use shared::store::sql::Tx;

/// `false` where fewer are left, or no such product is.
pub(crate) async fn reserve(tx: &mut Tx, id: &str, quantity: i64) -> Result<bool> {
    let update = "UPDATE products SET reserved = reserved + ? WHERE id = ? AND on_hand - reserved >= ?";
    let update = sqlx::query(update).bind(quantity).bind(id).bind(quantity);
    Ok(update.execute(tx.named("products.reserve")).await?.rows_affected() == 1)
}

pub(crate) async fn give_back(tx: &mut Tx, id: &str, quantity: i64) -> Result<()> {
    let update = "UPDATE products SET reserved = reserved - ? WHERE id = ?";
    sqlx::query(update).bind(quantity).bind(id).execute(tx.named("products.give_back")).await?;
    Ok(())
}

/// What was reserved leaves the house. Both at once: between two statements more would be reserved than is there.
pub(crate) async fn take(tx: &mut Tx, id: &str, quantity: i64) -> Result<()> {
    let update = "UPDATE products SET on_hand = on_hand - ?, reserved = reserved - ? WHERE id = ?";
    let update = sqlx::query(update).bind(quantity).bind(quantity).bind(id);
    update.execute(tx.named("products.take")).await?;
    Ok(())
}

/// `false` where less would be left than is reserved, or no such product is.
pub(crate) async fn adjust(tx: &mut Tx, id: &str, delta: i64) -> Result<bool> {
    let update = "UPDATE products SET on_hand = on_hand + ? WHERE id = ? AND on_hand + ? >= reserved";
    let update = sqlx::query(update).bind(delta).bind(id).bind(delta);
    Ok(update.execute(tx.named("products.adjust")).await?.rows_affected() == 1)
}
