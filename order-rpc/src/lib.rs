//! Carts, orders, and their payment. [`start`] is the one door, for `main`, for the shop in one process, and for tests.

pub mod config;

mod card;
mod logic;
mod metrics;
mod model;
mod provider;
mod server;
mod status;
mod svc;
mod worker;

use proto::order::v1::order_server::OrderServer;
use proto::product::v1::product_client::ProductClient;
use shared::config::Mode;
use shared::error::BoxError;
use shared::lifecycle::Lifecycle;
use shared::queue::{Queue, outbox};
use shared::rpc;
use shared::serve;
use shared::service::Running;
use shared::store::idempotency;
use shared::store::sql::Db;
use tonic::service::Routes;

use crate::config::Config;
use crate::model::cart::Carts;
use crate::provider::Provider;
use crate::svc::ServiceContext;

pub async fn start(
    listen: rpc::server::Conf,
    config: Config,
    _: Mode,
    lifecycle: &Lifecycle,
) -> Result<Running, BoxError> {
    if config.provider.timeout >= listen.timeout {
        // Else the caller has given up before the order can be called `paying`.
        return Err("Provider.Timeout: must be shorter than Timeout".into());
    }
    let listener = serve::bind(&listen.host, listen.port).await?;
    let queue = Queue::open(&config.queue.url)?;
    let carts = Carts::open(&config.cart)?;
    let provider = Provider::try_new(&config.provider, lifecycle)?;
    let db = Db::open(&config.data_source, &model::MIGRATIONS, lifecycle).await?;
    let product = rpc::client::connect(&config.product, proto::DESCRIPTORS, lifecycle).await?;
    let product = ProductClient::new(product);
    let ctx = ServiceContext::new(config, db, carts, provider, product, lifecycle.clone());
    outbox::relay(&ctx.db, &queue, &ctx.config.queue.relay, lifecycle);
    idempotency::forget_old(&ctx.db, ctx.config.idempotency.keep, lifecycle);
    worker::start(&ctx, lifecycle);
    let routes = Routes::new(OrderServer::new(ctx));
    let address = rpc::server::start(listener, routes, proto::DESCRIPTORS, &listen, lifecycle).await?;
    Ok(Running { name: lifecycle.name(), address })
}
