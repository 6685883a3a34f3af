//! DeliverOrder: a shipped order has arrived.

use proto::order::v1::{MoveOrderRequest, OrderView};
use shared::error::Result;

use super::administrator;
use crate::status::Status;
use crate::svc::ServiceContext;

pub(crate) async fn deliver_order(ctx: &ServiceContext, req: MoveOrderRequest) -> Result<OrderView> {
    administrator::moves(ctx, &req, Status::Delivered).await
}
