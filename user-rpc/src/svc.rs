//! What every use case of user-rpc may need; built once, cheap to clone.

use std::sync::Arc;

use shared::store::sql::Db;

use crate::config::Config;
use crate::password::Passwords;
use crate::signer::Signer;

#[derive(Clone)]
pub(crate) struct ServiceContext(Arc<Parts>);

pub(crate) struct Parts {
    pub config: Config,
    pub db: Db,
    pub passwords: Passwords,
    pub signer: Signer,
}

impl ServiceContext {
    pub(crate) fn new(config: Config, db: Db, passwords: Passwords, signer: Signer) -> ServiceContext {
        ServiceContext(Arc::new(Parts { config, db, passwords, signer }))
    }
}

impl std::ops::Deref for ServiceContext {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
