//! CreateProduct: a product, and the stock it begins with.

use proto::product::v1::{CreateProductRequest, Item};
use shared::error::{Code, Error, Result, Violation};
use shared::store::sql;
use shared::{clock, transaction};
use uuid::Uuid;

use super::update_product::{check_category, check_texts};
use crate::model::product::{self, Product};
use crate::model::stock_move;
use crate::svc::ServiceContext;

const MOST_ON_HAND: i64 = 1_000_000;

pub(crate) async fn create_product(ctx: &ServiceContext, req: CreateProductRequest) -> Result<Item> {
    let price = req.price.unwrap_or_default();
    let product = Product {
        id: if req.id.is_empty() { Uuid::now_v7().to_string() } else { req.id },
        name: req.name.trim().to_owned(),
        description: req.description,
        category_id: req.category_id,
        price: price.amount,
        currency: price.currency,
        image_url: req.image_url,
        on_hand: req.on_hand,
        reserved: 0,
        version: 1,
        created_at: clock::wall_ms(),
    };
    let mut faults = check_texts(&product, &ctx.config.currency);
    if !is_slug(&product.id) {
        faults.push(Violation::new("/id", "must be 1 to 64 of a-z, 0-9 and -"));
    }
    if !(0..=MOST_ON_HAND).contains(&product.on_hand) {
        faults.push(Violation::new("/on_hand", format!("must be from 0 to {MOST_ON_HAND}")));
    }
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    let made: Result<()> = transaction!(ctx.db, |tx| {
        check_category(tx, &product.category_id).await?;
        product::insert(tx, &product).await?;
        stock_move::insert(tx, &product.id, product.on_hand, "first stock", &product.id).await
    });
    match made {
        Ok(()) => Ok(product.into()),
        Err(error) if sql::is_duplicate(&error) => {
            Err(Error::new(Code::Conflict, "version_conflict", "a product with this id is there already"))
        }
        Err(error) => Err(error),
    }
}

fn is_slug(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}
