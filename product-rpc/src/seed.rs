//! The catalogue that a new shop begins with: `seed/catalogue.json`, put into an empty database.

use serde::Deserialize;
use shared::error::{BoxError, Result};
use shared::store::sql;
use shared::{clock, transaction};

use crate::logic::create_product;
use crate::model::category;
use crate::model::product::Product;
use crate::svc::{ALL_CATEGORIES, ServiceContext};

const CATALOGUE: &str = include_str!("../seed/catalogue.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    id: String,
    name: String,
    products: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    name: String,
    description: String,
    /// In minor units.
    price: i64,
    on_hand: i64,
}

/// Does nothing where there is a category already; without one there is no product.
pub(crate) async fn fill(ctx: &ServiceContext) -> Result<(), BoxError> {
    let catalogue: Vec<Category> = serde_json::from_str(CATALOGUE)?;
    let now = clock::wall_ms();
    let filled: Result<()> = transaction!(ctx.db, |tx| {
        if category::is_any(tx).await? {
            return Ok(());
        }
        for (position, category) in (0..).zip(&catalogue) {
            category::insert(tx, &category.id, &category.name, position).await?;
            for entry in &category.products {
                create_product::insert(tx, &product(entry, &category.id, &ctx.config.currency, now)).await?;
            }
        }
        Ok(())
    });
    match filled {
        // Another instance was faster.
        Err(error) if sql::is_duplicate(&error) => {}
        filled => filled?,
    }
    // What others cached of the empty catalogue.
    ctx.categories.delete(ALL_CATEGORIES).await;
    Ok(())
}

fn product(entry: &Entry, category_id: &str, currency: &str, now: i64) -> Product {
    Product {
        id: entry.id.clone(),
        name: entry.name.clone(),
        description: entry.description.clone(),
        category_id: category_id.to_owned(),
        price: entry.price,
        currency: currency.to_owned(),
        image_url: format!("/pictures/{}.svg", entry.id),
        on_hand: entry.on_hand,
        reserved: 0,
        version: 1,
        created_at: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::rules;

    #[test]
    fn every_product_of_the_catalogue_keeps_the_rules() {
        let catalogue: Vec<Category> = serde_json::from_str(CATALOGUE).expect("it is JSON");
        for category in &catalogue {
            for entry in &category.products {
                let product = product(entry, &category.id, "EUR", 0);
                assert_eq!(rules::faults(&product, "EUR"), [], "{}", entry.id);
                assert!((5..=200).contains(&entry.on_hand), "{}", entry.id);
            }
        }
    }
}
