//! Expiry: an order that nobody paid in time ends, and its stock is given back by its event.

use shared::error::Result;
use shared::{clock, transaction};

use super::advance::{Cause, advance_in};
use crate::model::order::{self, Order};
use crate::status::Status;
use crate::svc::ServiceContext;

/// Ends what is overdue, at most one batch; how many orders were. Any number of instances may do it at once.
pub(crate) async fn expire_overdue(ctx: &ServiceContext) -> Result<usize> {
    let overdue = order::overdue(&ctx.db, clock::wall_ms(), ctx.config.order.sweep.batch).await?;
    for order in &overdue {
        expire(ctx, order).await?;
    }
    Ok(overdue.len())
}

pub(super) fn is_overdue(order: &Order) -> bool {
    order.status == Status::PendingPayment && order.expires_at <= clock::wall_ms()
}

/// Where another move came first, nothing happens.
pub(super) async fn expire(ctx: &ServiceContext, order: &Order) -> Result<()> {
    let cause = Cause::ours("not paid in time");
    let has_expired: bool =
        transaction!(ctx.db, |tx| { advance_in(tx, order, Status::Expired, cause).await })?;
    if has_expired {
        ctx.metrics.moved(Status::Expired);
    }
    Ok(())
}
