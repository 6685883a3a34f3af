//! The table `categories`.

use serde::{Deserialize, Serialize};
use shared::error::Result;
use shared::store::sql::{Db, Tx};
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Category {
    pub(crate) id: String,
    pub(crate) name: String,
    /// How many products it has.
    pub(crate) products: i64,
}

impl FromRow<'_, AnyRow> for Category {
    fn from_row(row: &AnyRow) -> Result<Category, sqlx::Error> {
        Ok(Category {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            products: row.try_get("products")?,
        })
    }
}

/// In the order of the catalogue.
pub(crate) async fn all(db: &Db) -> Result<Vec<Category>> {
    let select = sqlx::query_as(
        "SELECT c.id, c.name, (SELECT COUNT(*) FROM products p WHERE p.category_id = c.id) AS products
         FROM categories c ORDER BY c.position",
    );
    Ok(select.fetch_all(db.named("categories.all")).await?)
}

pub(crate) async fn is_any(tx: &mut Tx) -> Result<bool> {
    let select = sqlx::query("SELECT 1 FROM categories LIMIT 1");
    Ok(select.fetch_optional(tx.named("categories.is_any")).await?.is_some())
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
