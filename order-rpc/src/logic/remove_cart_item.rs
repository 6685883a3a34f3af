//! RemoveCartItem: whether the line was there or not.

use proto::order::v1::{Cart, RemoveCartItemRequest};
use shared::error::Result;

use super::check_user;
use super::get_cart::cart;
use crate::svc::ServiceContext;

pub(crate) async fn remove_cart_item(ctx: &ServiceContext, req: RemoveCartItemRequest) -> Result<Cart> {
    check_user(&req.user_id)?;
    ctx.carts.remove(&req.user_id, &[&req.product_id]).await?;
    cart(ctx, &req.user_id).await
}
