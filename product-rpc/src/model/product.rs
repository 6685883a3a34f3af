//! The table `products`. Stock changes by conditional updates alone, so that no two orders get the same piece.

use proto::product::v1::{Item, Stock};
use proto::v1::Money;
use shared::error::Result;
use shared::store::sql::{Db, Tx};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, FromRow, QueryBuilder, Row};

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

/// The orders of a list. Each ends in the id, so that no two rows are equal and a page can go on after any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Name,
    Cheapest,
    Dearest,
    Newest,
}

/// Where a page ended: the value that the order is by, and the id.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Cursor {
    Text(String, String),
    Number(i64, String),
}

impl Sort {
    pub(crate) fn cursor(self, product: &Product) -> Cursor {
        let id = product.id.clone();
        match self {
            Sort::Name => Cursor::Text(product.name.clone(), id),
            Sort::Cheapest | Sort::Dearest => Cursor::Number(product.price, id),
            Sort::Newest => Cursor::Number(product.created_at, id),
        }
    }

    /// Column, direction, and what comes after a cursor.
    fn sql(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Sort::Name => ("name", "ASC", ">"),
            Sort::Cheapest => ("price", "ASC", ">"),
            Sort::Dearest => ("price", "DESC", "<"),
            Sort::Newest => ("created_at", "DESC", "<"),
        }
    }
}

/// What a list shows; empty texts show all.
pub(crate) struct Filter<'a> {
    pub(crate) category: &'a str,
    pub(crate) query: &'a str,
    pub(crate) sort: Sort,
}

/// The rows after `after`, at most `most`.
pub(crate) async fn list(db: &Db, filter: &Filter<'_>, after: Option<Cursor>, most: usize) -> Result<Vec<Product>> {
    let (column, direction, beyond) = filter.sort.sql();
    let mut select = QueryBuilder::<sqlx::Any>::new("SELECT * FROM products WHERE 1 = 1");
    if !filter.category.is_empty() {
        select.push(" AND category_id = ").push_bind(filter.category.to_owned());
    }
    for word in filter.query.split_whitespace() {
        let pattern = format!("%{}%", word.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
        select.push(" AND (name LIKE ").push_bind(pattern.clone()).push(" ESCAPE '!' OR description LIKE ");
        select.push_bind(pattern).push(" ESCAPE '!')");
    }
    match after {
        Some(Cursor::Text(value, id)) => {
            select.push(format!(" AND ({column}, id) {beyond} (")).push_bind(value).push(", ").push_bind(id).push(")");
        }
        Some(Cursor::Number(value, id)) => {
            select.push(format!(" AND ({column}, id) {beyond} (")).push_bind(value).push(", ").push_bind(id).push(")");
        }
        None => {}
    }
    select.push(format!(" ORDER BY {column} {direction}, id {direction} LIMIT ")).push_bind(most as i64);
    Ok(select.build_query_as().fetch_all(db.pool()).await?)
}

pub(crate) async fn by_id(db: &Db, id: &str) -> Result<Option<Product>> {
    Ok(sqlx::query_as("SELECT * FROM products WHERE id = ?").bind(id).fetch_optional(db.pool()).await?)
}

pub(crate) async fn by_id_in(tx: &mut Tx, id: &str) -> Result<Option<Product>> {
    Ok(sqlx::query_as("SELECT * FROM products WHERE id = ?").bind(id).fetch_optional(tx.on()).await?)
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
    Ok(select.fetch_all(db.pool()).await?)
}

pub(crate) async fn any(tx: &mut Tx) -> Result<bool> {
    Ok(sqlx::query("SELECT 1 FROM products LIMIT 1").fetch_optional(tx.on()).await?.is_some())
}

/// Fails with a duplicate where the id is taken.
pub(crate) async fn insert(tx: &mut Tx, product: &Product) -> Result<()> {
    sqlx::query(
        "INSERT INTO products (id, name, description, category_id, price, currency, image_url, on_hand, reserved, version, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
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
    .bind(product.created_at)
    .execute(tx.on())
    .await?;
    Ok(())
}

/// Everything but stock; `false` where the version is not `product.version`. The row's version is one higher then.
pub(crate) async fn update(tx: &mut Tx, product: &Product) -> Result<bool> {
    let update = sqlx::query(
        "UPDATE products SET name = ?, description = ?, category_id = ?, price = ?, currency = ?, image_url = ?, version = version + 1
         WHERE id = ? AND version = ?",
    )
    .bind(&product.name)
    .bind(&product.description)
    .bind(&product.category_id)
    .bind(product.price)
    .bind(&product.currency)
    .bind(&product.image_url)
    .bind(&product.id)
    .bind(product.version);
    Ok(update.execute(tx.on()).await?.rows_affected() == 1)
}

/// `false` where fewer are left.
pub(crate) async fn reserve(tx: &mut Tx, id: &str, quantity: i64) -> Result<bool> {
    let update = "UPDATE products SET reserved = reserved + ? WHERE id = ? AND on_hand - reserved >= ?";
    let update = sqlx::query(update).bind(quantity).bind(id).bind(quantity);
    Ok(update.execute(tx.on()).await?.rows_affected() == 1)
}

pub(crate) async fn give_back(tx: &mut Tx, id: &str, quantity: i64) -> Result<()> {
    let update = "UPDATE products SET reserved = reserved - ? WHERE id = ?";
    sqlx::query(update).bind(quantity).bind(id).execute(tx.on()).await?;
    Ok(())
}

/// What was reserved leaves the house.
pub(crate) async fn take(tx: &mut Tx, id: &str, quantity: i64) -> Result<()> {
    let update = "UPDATE products SET on_hand = on_hand - ?, reserved = reserved - ? WHERE id = ?";
    sqlx::query(update).bind(quantity).bind(quantity).bind(id).execute(tx.on()).await?;
    Ok(())
}

/// `false` where less would be left than is reserved, or no such product is.
pub(crate) async fn adjust(tx: &mut Tx, id: &str, delta: i64) -> Result<bool> {
    let update = "UPDATE products SET on_hand = on_hand + ? WHERE id = ? AND on_hand + ? >= reserved";
    let update = sqlx::query(update).bind(delta).bind(id).bind(delta);
    Ok(update.execute(tx.on()).await?.rows_affected() == 1)
}
