//! The table `products`: rows as they are read, made and edited. What changes their stock stands in `stock`.

use proto::product::v1::{Item, Stock};
use proto::v1::Money;
use shared::error::Result;
use shared::store::sql::{Db, Tx};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, FromRow, Row};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category_id: String,
    pub(crate) price: i64,
    pub(crate) currency: String,
    pub(crate) image_url: String,
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
}

impl FromRow<'_, AnyRow> for Product {
    fn from_row(row: &AnyRow) -> Result<Product, sqlx::Error> {
        Ok(Product {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            category_id: row.try_get("category_id")?,
            price: row.try_get("price")?,
            currency: row.try_get("currency")?,
            image_url: row.try_get("image_url")?,
            on_hand: row.try_get("on_hand")?,
            reserved: row.try_get("reserved")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl From<Product> for Item {
    fn from(product: Product) -> Item {
        Item {
            available: product.on_hand - product.reserved,
            id: product.id,
            name: product.name,
            description: product.description,
            category_id: product.category_id,
            price: Some(Money { amount: product.price, currency: product.currency }),
            image_url: product.image_url,
            version: product.version,
            created_at_ms: product.created_at,
        }
    }
}

impl From<Product> for Stock {
    fn from(product: Product) -> Stock {
        let Product { id, on_hand, reserved, .. } = product;
        Stock { product_id: id, on_hand, reserved, available: on_hand - reserved }
    }
}

pub(crate) async fn by_id(db: &Db, id: &str) -> Result<Option<Product>> {
    let select = sqlx::query_as("SELECT * FROM products WHERE id = ?").bind(id);
    Ok(select.fetch_optional(db.named("products.by_id")).await?)
}

pub(crate) async fn by_id_in(tx: &mut Tx, id: &str) -> Result<Option<Product>> {
    let select = sqlx::query_as("SELECT * FROM products WHERE id = ?").bind(id);
    Ok(select.fetch_optional(tx.named("products.by_id")).await?)
}

/// Those that exist.
pub(crate) async fn by_ids(db: &Db, ids: &[String]) -> Result<Vec<Product>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places = vec!["?"; ids.len()].join(", ");
    // Nothing but question marks is made up here.
    let mut select = sqlx::query_as(AssertSqlSafe(format!("SELECT * FROM products WHERE id IN ({places})")));
    for id in ids {
        select = select.bind(id);
    }
    Ok(select.fetch_all(db.named("products.by_ids")).await?)
}

/// A currency that is not this one, if there is a price in one.
pub(crate) async fn other_currency(db: &Db, currency: &str) -> Result<Option<String>> {
    let select =
        sqlx::query_scalar("SELECT currency FROM products WHERE currency <> ? LIMIT 1").bind(currency);
    Ok(select.fetch_optional(db.named("products.other_currency")).await?)
}

/// Fails with a duplicate where the id is taken.
pub(crate) async fn insert(tx: &mut Tx, product: &Product) -> Result<()> {
    let insert = sqlx::query(
        "INSERT INTO products
             (id, name, description, category_id, price, currency, image_url, on_hand, reserved, version, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let insert = insert
        .bind(&product.id)
        .bind(&product.name)
        .bind(&product.description)
        .bind(&product.category_id)
        .bind(product.price)
        .bind(&product.currency)
        .bind(&product.image_url)
        .bind(product.on_hand)
        .bind(product.reserved)
        .bind(product.version)
        .bind(product.created_at);
    insert.execute(tx.named("products.insert")).await?;
    Ok(())
}

/// Everything but stock; `false` where the version is not `product.version`. The row's version is one higher then.
pub(crate) async fn update(tx: &mut Tx, product: &Product) -> Result<bool> {
    let update = sqlx::query(
        "UPDATE products
         SET name = ?, description = ?, category_id = ?, price = ?, currency = ?, image_url = ?, version = version + 1
         WHERE id = ? AND version = ?",
    );
    let update = update
        .bind(&product.name)
        .bind(&product.description)
        .bind(&product.category_id)
        .bind(product.price)
        .bind(&product.currency)
        .bind(&product.image_url)
        .bind(&product.id)
        .bind(product.version);
    Ok(update.execute(tx.named("products.update")).await?.rows_affected() == 1)
}
