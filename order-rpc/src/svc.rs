//! What every use case of order-rpc may need; built once, cheap to clone.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use proto::product::v1::product_client::ProductClient;
use shared::clock;
use shared::error::{Error, Result};
use shared::lifecycle::Lifecycle;
use shared::pipeline::ambient::{self, Ambient};
use shared::rpc::client::Channel;
use shared::store::sql::Db;
use tokio::sync::oneshot;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::model::cart::Carts;
use crate::provider::Provider;

#[derive(Clone)]
pub(crate) struct ServiceContext(Arc<Parts>);

pub(crate) struct Parts {
    pub config: Config,
    pub db: Db,
    pub carts: Carts,
    pub provider: Provider,
    pub metrics: Metrics,
    product: ProductClient<Channel>,
    lifecycle: Lifecycle,
}

impl ServiceContext {
    pub(crate) fn new(
        config: Config,
        db: Db,
        carts: Carts,
        provider: Provider,
        product: ProductClient<Channel>,
        lifecycle: Lifecycle,
    ) -> ServiceContext {
        let metrics = Metrics::of(lifecycle.name());
        ServiceContext(Arc::new(Parts { config, db, carts, provider, metrics, product, lifecycle }))
    }

    pub(crate) fn product(&self) -> ProductClient<Channel> {
        self.product.clone()
    }

    /// When to ask about a payment that is about to be asked for: not before that call must have ended.
    pub(crate) fn first_check_at(&self) -> i64 {
        self.next_check_at() + self.config.provider.timeout.as_millis() as i64
    }

    /// When to ask about a payment whose call has ended.
    pub(crate) fn next_check_at(&self) -> i64 {
        clock::wall_ms() + self.config.reconcile.after.as_millis() as i64
    }

    /// Does the whole of `work`, in the trace of the request but not within its time: what moves stock or money is not cut
    /// off because a customer went away. Each step of it has a limit of its own.
    pub(crate) async fn whole<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let ambient = Ambient { deadline: None, ..ambient::current().unwrap_or_default() };
        let (tell, told) = oneshot::channel();
        self.lifecycle.spawn_job(ambient::scope(ambient, async move {
            // Nobody may be there to hear it.
            tell.send(AssertUnwindSafe(work).catch_unwind().await).ok();
        }));
        // A panic is the request's, whose pipeline knows what to do with it.
        told.await.map_err(Error::internal)?.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl std::ops::Deref for ServiceContext {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
