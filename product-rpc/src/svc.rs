//! What every use case of product-rpc may need; built once, cheap to clone.

use std::sync::Arc;

use shared::store::cache::Cache;
use shared::store::sql::Db;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::model::category::Category;

#[derive(Clone)]
pub(crate) struct ServiceContext(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) db: Db,
    /// Under [`ALL_CATEGORIES`] alone.
    pub(crate) categories: Cache<Vec<Category>>,
    pub(crate) metrics: Metrics,
}

/// Deleted after every commit that changes what a category holds.
pub(crate) const ALL_CATEGORIES: &str = "all";

impl ServiceContext {
    pub(crate) fn new(
        config: Config,
        db: Db,
        categories: Cache<Vec<Category>>,
        metrics: Metrics,
    ) -> ServiceContext {
        ServiceContext(Arc::new(Parts { config, db, categories, metrics }))
    }
}

impl std::ops::Deref for ServiceContext {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
