//! What happens to the stock without being asked for: by the events of orders, and by time.

mod expiry;
mod orders;

use shared::lifecycle::Lifecycle;
use shared::queue::{Queue, consumer};

use crate::svc::ServiceContext;

/// Under this name the queue knows all instances of product-rpc.
const GROUP: &str = "product-rpc";

pub(crate) async fn start(ctx: &ServiceContext, queue: &Queue, lifecycle: &Lifecycle) {
    let conf = &ctx.config.queue.consumer;
    consumer::start(queue, proto::order::TOPIC, GROUP, &ctx.db, conf, orders::Orders, lifecycle).await;
    expiry::start(ctx, lifecycle);
}
