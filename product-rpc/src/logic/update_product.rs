//! UpdateProduct: changes what is set, if nobody has changed the product since it was read.

use proto::product::v1::{Item, UpdateProductRequest};
use shared::error::{Code, Error, Result, Violation};
use shared::store::sql::Tx;
use shared::transaction;

use super::no_such_product;
use crate::model::category;
use crate::model::product::{self, Product};
use crate::svc::ServiceContext;

pub(crate) async fn update_product(ctx: &ServiceContext, req: UpdateProductRequest) -> Result<Item> {
    transaction!(ctx.db, |tx| {
        let mut product = product::by_id_in(tx, &req.id).await?.ok_or_else(no_such_product)?;
        if product.version != req.expected_version {
            return Err(changed(&product));
        }
        apply(&mut product, &req);
        let faults = check_texts(&product, &ctx.config.currency);
        if !faults.is_empty() {
            return Err(Error::invalid(faults));
        }
        check_category(tx, &product.category_id).await?;
        if !product::update(tx, &product).await? {
            return Err(changed(&product));
        }
        Ok(Item { version: product.version + 1, ..product.into() })
    })
}

fn apply(product: &mut Product, req: &UpdateProductRequest) {
    let set = |field: &mut String, value: &Option<String>| {
        if let Some(value) = value {
            field.clone_from(value);
        }
    };
    set(&mut product.name, &req.name);
    set(&mut product.description, &req.description);
    set(&mut product.category_id, &req.category_id);
    set(&mut product.image_url, &req.image_url);
    if let Some(price) = &req.price {
        product.price = price.amount;
        product.currency.clone_from(&price.currency);
    }
}

fn changed(product: &Product) -> Error {
    Error::of(Code::PreconditionFailed, "the product was changed since it was read").with("version", product.version)
}

pub(super) fn check_texts(product: &Product, currency: &str) -> Vec<Violation> {
    let mut faults = Vec::new();
    if !(1..=200).contains(&product.name.chars().count()) {
        faults.push(Violation::new("/name", "must have 1 to 200 characters"));
    }
    if product.description.chars().count() > 5000 {
        faults.push(Violation::new("/description", "must have at most 5000 characters"));
    }
    if product.image_url.chars().count() > 500 {
        faults.push(Violation::new("/image_url", "must have at most 500 characters"));
    }
    if product.price < 0 {
        faults.push(Violation::new("/price/amount", "must not be negative"));
    }
    if product.currency != currency {
        faults.push(Violation::new("/price/currency", format!("this shop sells in {currency}")));
    }
    faults
}

pub(super) async fn check_category(tx: &mut Tx, id: &str) -> Result<()> {
    if category::exists(tx, id).await? {
        return Ok(());
    }
    Err(Error::invalid(vec![Violation::new("/category_id", "there is no such category")]))
}
