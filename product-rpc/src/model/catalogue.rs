//! The table `products` as pages: by category, by words, in an order of its own that ends in the id, so that no two rows
//! are equal and a page can go on after any of them.

use serde::{Deserialize, Serialize};
use shared::error::Result;
use shared::store::sql::Db;
use sqlx::{Any, QueryBuilder};

use super::product::Product;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Sort {
    Name,
    Cheapest,
    Dearest,
    Newest,
}

/// What a list shows.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Filter {
    /// Empty for all.
    pub(crate) category: String,
    /// Each stands in the name or the description, whatever its case (of ASCII letters).
    pub(crate) words: Vec<String>,
    pub(crate) sort: Sort,
}

/// Where a page ended: the value that the order is by, and the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// The rows after `after`, at most `most`.
pub(crate) async fn page(
    db: &Db,
    filter: &Filter,
    after: Option<Cursor>,
    most: usize,
) -> Result<Vec<Product>> {
    let mut select = QueryBuilder::<Any>::new("SELECT * FROM products WHERE 1 = 1");
    if !filter.category.is_empty() {
        select.push(" AND category_id = ").push_bind(filter.category.clone());
    }
    // Not LIKE: there a word could hold signs that mean something.
    for word in &filter.words {
        let word = word.to_ascii_lowercase();
        select.push(" AND (INSTR(LOWER(name), ").push_bind(word.clone());
        select.push(") > 0 OR INSTR(LOWER(description), ").push_bind(word).push(") > 0)");
    }
    let (column, direction, beyond) = filter.sort.sql();
    if let Some(after) = after {
        select.push(format!(" AND ({column}, id) {beyond} ("));
        let id = match after {
            Cursor::Text(value, id) => {
                select.push_bind(value);
                id
            }
            Cursor::Number(value, id) => {
                select.push_bind(value);
                id
            }
        };
        select.push(", ").push_bind(id).push(")");
    }
    select.push(format!(" ORDER BY {column} {direction}, id {direction} LIMIT ")).push_bind(most as i64);
    Ok(select.build_query_as().fetch_all(db.named("products.page")).await?)
}
