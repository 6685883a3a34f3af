//! SetCartItem: so many of a product; not so many more.

use proto::order::v1::{Cart, SetCartItemRequest};
use proto::product::v1::GetProductRequest;
use shared::error::{Error, Result, Violation};

use super::get_cart::cart;
use super::{check_user, lines};
use crate::svc::ServiceContext;

pub(crate) async fn set_cart_item(ctx: &ServiceContext, req: SetCartItemRequest) -> Result<Cart> {
    check_user(&req.user_id)?;
    if !(1..=lines::MOST_OF_ONE).contains(&req.quantity) {
        return Err(Error::invalid(vec![Violation::new("/quantity", "must be from 1 to 99")]));
    }
    // Its refusal of an unknown product is ours.
    ctx.product().get_product(GetProductRequest { id: req.product_id.clone() }).await?;
    if ctx.carts.set(&req.user_id, &req.product_id, req.quantity).await?.is_err() {
        let detail = format!("the cart is full: it holds at most {} products", ctx.config.cart.max_lines);
        return Err(Error::invalid(vec![Violation::new("/product_id", detail)]));
    }
    cart(ctx, &req.user_id).await
}
