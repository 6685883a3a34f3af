//! The catalogue, and the stock behind it. [`start`] is the one door, for `main`, for the shop in one process, and for
//! tests.

pub mod config;
mod consumer;
mod logic;
mod metrics;
mod model;
mod seed;
mod server;
mod stock;
mod svc;

use proto::product::v1::product_server::ProductServer;
use shared::config::Mode;
use shared::error::BoxError;
use shared::lifecycle::Lifecycle;
use shared::queue::Queue;
use shared::rpc;
use shared::serve;
use shared::service::Running;
use shared::store::cache::Cache;
use shared::store::idempotency;
use shared::store::sql::Db;
use tonic::service::Routes;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::svc::ServiceContext;

pub async fn start(
    listen: rpc::server::Conf,
    config: Config,
    _: Mode,
    lifecycle: &Lifecycle,
) -> Result<Running, BoxError> {
    let listener = serve::bind(&listen.host, listen.port).await?;
    let db = Db::open(&config.data_source, &model::MIGRATIONS, lifecycle).await?;
    let queue = Queue::open(&config.queue.url)?;
    if let Some(other) = model::product::other_currency(&db, &config.currency).await? {
        return Err(
            format!("Currency: is {}, but the catalogue has prices in {other}", config.currency).into()
        );
    }
    let categories = Cache::try_new("product.categories", &config.cache, lifecycle)?;
    let ctx = ServiceContext::new(config, db, categories, Metrics::of(lifecycle.name()));
    if ctx.config.seed {
        seed::fill(&ctx).await?;
    }
    idempotency::forget_old(&ctx.db, ctx.config.idempotency.keep, lifecycle);
    consumer::start(&ctx, &queue, lifecycle).await;
    let routes = Routes::new(ProductServer::new(ctx));
    let address = rpc::server::start(listener, routes, proto::DESCRIPTORS, &listen, lifecycle).await?;
    Ok(Running { name: lifecycle.name(), address })
}
