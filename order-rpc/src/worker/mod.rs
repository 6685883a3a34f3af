//! What order-rpc does by itself, in any number of instances.

mod expiry;
mod reconciler;

use shared::lifecycle::Lifecycle;

use crate::svc::ServiceContext;

pub(crate) fn start(ctx: &ServiceContext, lifecycle: &Lifecycle) {
    expiry::start(ctx, lifecycle);
    reconciler::start(ctx, lifecycle);
}
