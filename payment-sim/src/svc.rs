//! What every use case of payment-sim may need; built once, cheap to clone.

use std::sync::Arc;

use shared::lifecycle::Lifecycle;
use shared::store::sql::Db;

use crate::config::Config;

#[derive(Clone)]
pub(crate) struct ServiceContext(Arc<Parts>);

pub(crate) struct Parts {
    pub config: Config,
    pub db: Db,
    pub lifecycle: Lifecycle,
}

impl ServiceContext {
    pub(crate) fn new(config: Config, db: Db, lifecycle: Lifecycle) -> ServiceContext {
        ServiceContext(Arc::new(Parts { config, db, lifecycle }))
    }
}

impl std::ops::Deref for ServiceContext {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
