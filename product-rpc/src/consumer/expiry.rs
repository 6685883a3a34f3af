//! Gives back the holds whose time is over. Any number of instances may do it at once: each hold is a transaction of its
//! own, and the guarded update lets one of them through.

use std::time::Duration;

use shared::error::{BoxError, Result};
use shared::lifecycle::Lifecycle;
use shared::{clock, transaction};

use crate::model::reservation::{self, Status};
use crate::stock;
use crate::svc::ServiceContext;

pub(super) fn start(ctx: &ServiceContext, lifecycle: &Lifecycle) {
    let (ctx, owner) = (ctx.clone(), lifecycle.clone());
    lifecycle.spawn("expire reservations", async move {
        loop {
            let is_more = sweep(&ctx).await.unwrap_or_else(|error| {
                tracing::warn!(error = error.chain(), "overdue reservations cannot be read");
                false
            });
            let wait = if is_more { Duration::ZERO } else { ctx.config.reservation.sweep };
            if !owner.pause(wait).await {
                return Ok::<(), BoxError>(());
            }
        }
    });
}

/// `true` where more are waiting. One that cannot be ended holds up no other.
async fn sweep(ctx: &ServiceContext) -> Result<bool> {
    let batch = ctx.config.reservation.batch;
    let now = clock::wall_ms();
    let overdue = reservation::overdue(&ctx.db, now, batch).await?;
    let is_full = overdue.len() == batch as usize;
    let mut ended = 0_usize;
    for order_id in overdue {
        match expire(ctx, &order_id, now).await {
            Ok(is_ended) => ended += usize::from(is_ended),
            Err(error) => {
                tracing::warn!(order = order_id, error = error.chain(), "a reservation did not expire yet");
            }
        }
    }
    Ok(is_full && ended > 0)
}

/// Looks again: since it was found it may have been pinned, prolonged, or ended by another; `false` then.
async fn expire(ctx: &ServiceContext, order_id: &str, now: i64) -> Result<bool> {
    let is_ended = transaction!(ctx.db, |tx| {
        match reservation::find(tx, order_id).await? {
            Some(known) if known.status == Status::Held && known.expires_at <= now => {
                stock::give_back(tx, known, Status::Expired).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    })?;
    if is_ended {
        ctx.metrics.expired();
        tracing::info!(order = order_id, "a hold expired");
    }
    Ok(is_ended)
}
