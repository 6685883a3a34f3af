//! Paying back what is owed. That it is owed is written before the provider is asked, so that it will be paid back
//! whatever happens in between.

use shared::error::Result;
use shared::{crash, transaction};

use super::advance::Moved;
use crate::model::payment;
use crate::svc::ServiceContext;

/// What `moved` owes. Where it fails the reconciler goes on.
pub(super) async fn at_once(ctx: &ServiceContext, moved: Moved) {
    let Some(payment_id) = moved.owed else { return };
    let service = ctx.clone();
    let paid_back = ctx.whole(async move { pay_back(&service, &payment_id).await }).await;
    if let Err(error) = paid_back {
        tracing::warn!(error = error.chain(), "a refund is still owed");
    }
}

/// Safe to repeat.
pub(crate) async fn pay_back(ctx: &ServiceContext, payment_id: &str) -> Result<()> {
    crash::point("before_refund");
    ctx.provider.refund(payment_id).await?;
    crash::point("after_refund");
    transaction!(ctx.db, |tx| { payment::refunded(tx, payment_id).await })
}
