//! The cart of the signed-in user.

use proto::order::v1::{ClearCartRequest, GetCartRequest, RemoveCartItemRequest, SetCartItemRequest};
use shared::error::Result;
use shared::pipeline::auth::Caller;

use crate::api::types::{Cart, RemoveItemReq, SetItemReq};
use crate::convert;
use crate::svc::ServiceContext;

pub(crate) async fn get_cart(ctx: &ServiceContext, caller: Caller) -> Result<Cart> {
    convert::cart(ctx.order().get_cart(GetCartRequest { user_id: caller.id }).await?.into_inner())
}

pub(crate) async fn set_item(ctx: &ServiceContext, caller: Caller, req: SetItemReq) -> Result<Cart> {
    let SetItemReq { product_id, quantity } = req;
    let req = SetCartItemRequest { user_id: caller.id, product_id, quantity };
    convert::cart(ctx.order().set_cart_item(req).await?.into_inner())
}

pub(crate) async fn remove_item(ctx: &ServiceContext, caller: Caller, req: RemoveItemReq) -> Result<Cart> {
    let req = RemoveCartItemRequest { user_id: caller.id, product_id: req.product_id };
    convert::cart(ctx.order().remove_cart_item(req).await?.into_inner())
}

pub(crate) async fn clear_cart(ctx: &ServiceContext, caller: Caller) -> Result<()> {
    ctx.order().clear_cart(ClearCartRequest { user_id: caller.id }).await?;
    Ok(())
}
