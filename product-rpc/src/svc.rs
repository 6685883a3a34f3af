//! What every use case of product-rpc may need; built once, cheap to clone.

use std::sync::Arc;

use shared::store::sql::Db;

use crate::config::Config;
use crate::metrics::Metrics;

#[derive(Clone)]
pub(crate) struct ServiceContext(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) db: Db,
    pub(crate) metrics: Metrics,
}

impl ServiceContext {
    pub(crate) fn new(config: Config, db: Db, metrics: Metrics) -> ServiceContext {
        ServiceContext(Arc::new(Parts { config, db, metrics }))
    }
}

impl std::ops::Deref for ServiceContext {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
