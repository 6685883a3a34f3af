//! GetOrder: an order of the user who asks.

use proto::order::v1::{GetOrderRequest, OrderView};
use shared::error::Result;

use super::{no_such_order, view};
use crate::model::order;
use crate::svc::ServiceContext;

pub(crate) async fn get_order(ctx: &ServiceContext, req: GetOrderRequest) -> Result<OrderView> {
    let shown = order::shown(&ctx.db, &req.order_id).await?;
    // Somebody else's order is not said to exist.
    let shown = shown.filter(|shown| shown.order.user_id == req.user_id).ok_or_else(no_such_order)?;
    view::of_all(&ctx.db, vec![shown]).await?.pop().ok_or_else(no_such_order)
}
