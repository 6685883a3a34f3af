//! UpdateProduct: changes what is set, if nobody has changed the product since it was read.

use proto::product::v1::{Item, UpdateProductRequest};
use shared::error::{Code, Error, Result};
use shared::transaction;

use super::{no_such_product, rules};
use crate::model::product::{self, Product};
use crate::svc::{ALL_CATEGORIES, ServiceContext};

pub(crate) async fn update_product(ctx: &ServiceContext, req: UpdateProductRequest) -> Result<Item> {
    let (product, is_moved) = transaction!(ctx.db, |tx| {
        let before = product::by_id_in(tx, &req.id).await?.ok_or_else(no_such_product)?;
        if before.version != req.expected_version {
            return Err(changed());
        }
        let product = edited(&before, &req);
        rules::check(tx, &product, &ctx.config.currency, &[]).await?;
        if product == before {
            return Ok((product, false));
        }
        if !product::update(tx, &product).await? {
            return Err(changed());
        }
        let is_moved = product.category_id != before.category_id;
        Ok((Product { version: product.version + 1, ..product }, is_moved))
    })?;
    if is_moved {
        ctx.categories.delete(ALL_CATEGORIES).await;
    }
    Ok(product.into())
}

fn edited(before: &Product, req: &UpdateProductRequest) -> Product {
    let set = |new: &Option<String>, old: &String| new.as_ref().unwrap_or(old).clone();
    let (price, currency) = match &req.price {
        Some(price) => (price.amount, price.currency.clone()),
        None => (before.price, before.currency.clone()),
    };
    Product {
        name: set(&req.name, &before.name).trim().to_owned(),
        description: set(&req.description, &before.description).trim().to_owned(),
        category_id: set(&req.category_id, &before.category_id),
        image_url: set(&req.image_url, &before.image_url),
        price,
        currency,
        ..before.clone()
    }
}

fn changed() -> Error {
    Error::of(Code::PreconditionFailed, "the product was changed since it was read")
}
