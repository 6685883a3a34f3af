//! The sweeper: ends orders that nobody paid in time.

use shared::error::BoxError;
use shared::lifecycle::Lifecycle;

use crate::logic::expire::expire_overdue;
use crate::svc::ServiceContext;

pub(super) fn start(ctx: &ServiceContext, lifecycle: &Lifecycle) {
    let (ctx, owner) = (ctx.clone(), lifecycle.clone());
    lifecycle.spawn("expire orders", async move {
        let conf = &ctx.config.order.sweep;
        while owner.pause(conf.every).await {
            loop {
                let swept = tokio::select! {
                    swept = expire_overdue(&ctx) => swept,
                    () = owner.stopping() => return Ok(()),
                };
                match swept {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(error = error.chain(), "overdue orders stay for now");
                        break;
                    }
                }
            }
        }
        Ok::<(), BoxError>(())
    });
}
