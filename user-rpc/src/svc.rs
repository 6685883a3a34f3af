//! What every use case of user-rpc may need; built once, cheap to clone.

use std::sync::Arc;

use shared::store::cache::Cache;
use shared::store::sql::Db;

use crate::config::Config;
use crate::model::user::Profile;
use crate::password::Passwords;
use crate::signer::Signer;

#[derive(Clone)]
pub(crate) struct ServiceContext(Arc<Parts>);

pub(crate) struct Parts {
    pub config: Config,
    pub db: Db,
    /// By user id.
    pub profiles: Cache<Profile>,
    pub passwords: Passwords,
    pub signer: Signer,
}

impl ServiceContext {
    pub(crate) fn new(parts: Parts) -> ServiceContext {
        ServiceContext(Arc::new(parts))
    }
}

impl std::ops::Deref for ServiceContext {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
