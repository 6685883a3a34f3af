//! Expiry: an order that nobody paid in time ends, and its stock is given back by its event.

use shared::error::Result;
use shared::{clock, transaction};

use super::advance::{Cause, advance_in};
use crate::model::order::{self, Order};
use crate::status::Status;
use crate::svc::ServiceContext;

/// Ends what is overdue, at most one batch; `true` where more are waiting. Any number of instances may do it at once, and
/// an order that cannot be ended holds up no other.
pub(crate) async fn expire_overdue(ctx: &ServiceContext) -> Result<bool> {
    let batch = ctx.config.order.sweep.batch;
    let overdue = order::overdue(&ctx.db, clock::wall_ms(), batch).await?;
    let mut ended = 0_usize;
    for order in &overdue {
        match expire(ctx, order).await {
            Ok(()) => ended += 1,
            Err(error) => {
                tracing::warn!(order_id = order.id, error = error.chain(), "an order did not expire yet");
            }
        }
    }
    Ok(overdue.len() == batch && ended > 0)
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
