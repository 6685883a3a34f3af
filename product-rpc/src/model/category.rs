//! The table `categories`.

use shared::error::Result;
use shared::store::sql::{Db, Tx};

/// Id, name, and how many products it has; in the order of the catalogue.
pub(crate) async fn all(db: &Db) -> Result<Vec<(String, String, i64)>> {
    let select = sqlx::query_as(
        "SELECT c.id, c.name, (SELECT COUNT(*) FROM products p WHERE p.category_id = c.id) AS product_count
         FROM categories c ORDER BY c.position",
    );
    Ok(select.fetch_all(db.named("categories.all")).await?)
}

pub(crate) async fn exists(tx: &mut Tx, id: &str) -> Result<bool> {
    let select = sqlx::query("SELECT 1 FROM categories WHERE id = ?").bind(id);
    Ok(select.fetch_optional(tx.named("categories.exists")).await?.is_some())
}

pub(crate) async fn insert(tx: &mut Tx, id: &str, name: &str, position: i64) -> Result<()> {
    let insert = sqlx::query("INSERT INTO categories (id, name, position) VALUES (?, ?, ?)");
    insert.bind(id).bind(name).bind(position).execute(tx.named("categories.insert")).await?;
    Ok(())
}
