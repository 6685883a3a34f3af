//! GetCart: the cart at today's prices.

use proto::order::v1::{Cart, CartItem, GetCartRequest};
use proto::product::v1::Item;
use proto::v1::Money;
use shared::error::Result;

use super::{check_user, lines};
use crate::svc::ServiceContext;

pub(crate) async fn get_cart(ctx: &ServiceContext, req: GetCartRequest) -> Result<Cart> {
    check_user(&req.user_id)?;
    cart(ctx, &req.user_id).await
}

/// What every change of a cart answers as well.
pub(super) async fn cart(ctx: &ServiceContext, user_id: &str) -> Result<Cart> {
    let known = known_lines(ctx, user_id).await?;
    let mut items = Vec::with_capacity(known.len());
    let mut prices = Vec::with_capacity(known.len());
    for (item, quantity) in known {
        let price = lines::unit_price(ctx, &item)?;
        let line_total = lines::total(ctx, [(price, quantity)].into_iter())?;
        prices.push((price, quantity));
        items.push(CartItem {
            product_id: item.id,
            name: item.name,
            quantity,
            unit_price: Some(Money { amount: price, currency: line_total.currency.clone() }),
            line_total: Some(line_total),
            available: item.available,
            image_url: item.image_url,
        });
    }
    Ok(Cart { items, total: Some(lines::total(ctx, prices.into_iter())?) })
}

/// The products of the cart and how many of each. Lines whose product is gone are left out, and taken out.
pub(super) async fn known_lines(ctx: &ServiceContext, user_id: &str) -> Result<Vec<(Item, i32)>> {
    let kept = ctx.carts.lines(user_id).await?;
    let mut products = lines::products(ctx, kept.keys().cloned().collect()).await?;
    let mut known = Vec::with_capacity(kept.len());
    let mut gone = Vec::new();
    for (id, quantity) in &kept {
        match products.remove(id) {
            Some(item) => known.push((item, *quantity)),
            None => gone.push(id.as_str()),
        }
    }
    if !gone.is_empty() {
        ctx.carts.remove(user_id, &gone).await?;
    }
    Ok(known)
}
