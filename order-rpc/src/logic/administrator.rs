//! The moves of an administrator: any customer's order, and the history says who it was.

use proto::order::v1::{MoveOrderRequest, OrderView};
use shared::error::{Error, Result, Violation};

use super::advance::{Cause, advance, until_stock_is_back};
use super::{check_reason, pay_back, view};
use crate::status::Status;
use crate::svc::ServiceContext;

pub(super) async fn moves(ctx: &ServiceContext, req: &MoveOrderRequest, to: Status) -> Result<OrderView> {
    if !(1..=36).contains(&req.actor_id.len()) {
        return Err(Error::invalid(vec![Violation::new("/actor_id", "must have 1 to 36 characters")]));
    }
    check_reason(&req.reason)?;
    let cause = Cause { actor: &req.actor_id, reason: &req.reason };
    let moved = advance(ctx, &req.order_id, cause, |_| Ok(to)).await?;
    pay_back::at_once(ctx, moved).await;
    if to == Status::Refunded {
        until_stock_is_back(ctx, &req.order_id).await;
    }
    view::of_order(&ctx.db, &req.order_id).await
}
