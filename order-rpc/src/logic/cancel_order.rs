//! CancelOrder: by its customer. An unpaid order is cancelled; one that is paid, and not shipped, is refunded.

use proto::order::v1::{CancelOrderRequest, OrderView};
use shared::error::Result;

use super::advance::{Cause, advance, until_stock_is_back};
use super::{check_reason, check_user, no_such_order, pay_back, view};
use crate::model::order::Order;
use crate::status::Status;
use crate::svc::ServiceContext;

pub(crate) async fn cancel_order(ctx: &ServiceContext, req: CancelOrderRequest) -> Result<OrderView> {
    check_user(&req.user_id)?;
    check_reason(&req.reason)?;
    let cause = Cause { actor: &req.user_id, reason: &req.reason };
    let target = |order: &Order| match order.status {
        _ if order.user_id != req.user_id => Err(no_such_order()),
        Status::PendingPayment => Ok(Status::Cancelled),
        Status::Paid => Ok(Status::Refunded),
        other => Err(other.refuses(Status::Cancelled)),
    };
    let moved = advance(ctx, &req.order_id, cause, target).await?;
    pay_back::at_once(ctx, moved).await;
    until_stock_is_back(ctx, &req.order_id).await;
    view::of_order(&ctx.db, &req.order_id).await
}
