//! CreateProduct: a product, and the stock it begins with.

use proto::product::v1::{CreateProductRequest, Item};
use shared::error::{Code, Error, Result, Violation};
use shared::store::sql::{self, Tx};
use shared::{clock, transaction};
use uuid::Uuid;

use super::rules;
use crate::model::product::{self, Product};
use crate::model::stock_move;
use crate::svc::{ALL_CATEGORIES, ServiceContext};

const MOST_ON_HAND: i64 = 1_000_000;

pub(crate) async fn create_product(ctx: &ServiceContext, req: CreateProductRequest) -> Result<Item> {
    let currency = &ctx.config.currency;
    let mut faults = Vec::new();
    if req.price.is_none() {
        faults.push(Violation::new("/price", "is required"));
    }
    if !(0..=MOST_ON_HAND).contains(&req.on_hand) {
        faults.push(Violation::new("/on_hand", format!("must be from 0 to {MOST_ON_HAND}")));
    }
    let (amount, named) =
        req.price.map_or_else(|| (0, currency.clone()), |price| (price.amount, price.currency));
    let product = Product {
        id: if req.id.is_empty() { Uuid::now_v7().to_string() } else { req.id },
        name: req.name.trim().to_owned(),
        description: req.description.trim().to_owned(),
        category_id: req.category_id,
        price: amount,
        currency: named,
        image_url: req.image_url,
        on_hand: req.on_hand,
        reserved: 0,
        version: 1,
        created_at: clock::wall_ms(),
    };
    let made: Result<()> = transaction!(ctx.db, |tx| {
        rules::check(tx, &product, currency, &faults).await?;
        insert(tx, &product).await
    });
    match made {
        Ok(()) => {
            ctx.categories.delete(ALL_CATEGORIES).await;
            Ok(product.into())
        }
        Err(error) if sql::is_duplicate(&error) => {
            Err(Error::new(Code::Conflict, "version_conflict", "a product with this id is there already"))
        }
        Err(error) => Err(error),
    }
}

/// With the move that explains its stock.
pub(crate) async fn insert(tx: &mut Tx, product: &Product) -> Result<()> {
    product::insert(tx, product).await?;
    if product.on_hand > 0 {
        stock_move::insert(tx, &product.id, product.on_hand, "first stock", &product.id).await?;
    }
    Ok(())
}
