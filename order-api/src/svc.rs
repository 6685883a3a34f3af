//! What every use case of the gateway may need; built once, cheap to clone.

use std::sync::Arc;

use proto::order::v1::order_client::OrderClient;
use proto::product::v1::product_client::ProductClient;
use proto::user::v1::user_client::UserClient;
use shared::error::BoxError;
use shared::lifecycle::Lifecycle;
use shared::pipeline::Concern;
use shared::pipeline::auth::Keys;
use shared::queue::Queue;
use shared::rpc::client::{self, Channel};

use crate::admin_only::AdminOnly;
use crate::config::Config;
use crate::live::Hub;

#[derive(Clone)]
pub(crate) struct ServiceContext(Arc<Parts>);

pub(crate) struct Parts {
    user: UserClient<Channel>,
    product: ProductClient<Channel>,
    order: OrderClient<Channel>,
    /// Of access tokens; public ones.
    pub keys: Keys,
    pub hub: Hub,
}

impl ServiceContext {
    /// No service has to be there yet: a call waits for the first address, within its deadline.
    pub(crate) async fn connect(config: &Config, lifecycle: &Lifecycle) -> Result<ServiceContext, BoxError> {
        let connect = async |conf| client::connect(conf, proto::DESCRIPTORS, lifecycle).await;
        let queue = Queue::open(&config.queue.url)?;
        Ok(ServiceContext(Arc::new(Parts {
            user: UserClient::new(connect(&config.user_rpc).await?),
            product: ProductClient::new(connect(&config.product_rpc).await?),
            order: OrderClient::new(connect(&config.order_rpc).await?),
            keys: Keys::default(),
            hub: Hub::start(&queue, &config.watch, lifecycle).await,
        })))
    }

    /// A client for one call.
    pub(crate) fn user(&self) -> UserClient<Channel> {
        self.0.user.clone()
    }

    /// Likewise.
    pub(crate) fn product(&self) -> ProductClient<Channel> {
        self.0.product.clone()
    }

    /// Likewise.
    pub(crate) fn order(&self) -> OrderClient<Channel> {
        self.0.order.clone()
    }

    /// The contract's `AdminOnly`.
    pub(crate) fn admin_only(&self) -> Arc<dyn Concern> {
        Arc::new(AdminOnly)
    }
}

impl std::ops::Deref for ServiceContext {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
