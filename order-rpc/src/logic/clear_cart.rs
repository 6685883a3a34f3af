//! ClearCart.

use proto::order::v1::{ClearCartRequest, ClearCartResponse};
use shared::error::Result;

use super::check_user;
use crate::svc::ServiceContext;

pub(crate) async fn clear_cart(ctx: &ServiceContext, req: ClearCartRequest) -> Result<ClearCartResponse> {
    check_user(&req.user_id)?;
    ctx.carts.clear(&req.user_id).await?;
    Ok(ClearCartResponse {})
}
