//! The keys of user-rpc beside those of every RPC service.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use shared::config::{Faults, Mode, Secret, duration};
use shared::rpc::server;
use shared::store::cache;
use shared::store::sql::DataSource;

/// A well-known password, for development alone.
const DEVELOPMENT: &str = "development-only";

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Config {
    pub data_source: DataSource,
    #[serde(default)]
    pub cache: cache::Conf,
    pub token: Token,
    #[serde(default)]
    pub password: Password,
    pub admin: Account,
    pub demo: Account,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Token {
    pub signing_key: PathBuf,
    #[serde(default)]
    pub previous_keys: Vec<PathBuf>,
    pub issuer: String,
    pub audience: String,
    #[serde(with = "duration")]
    pub access_ttl: Duration,
    #[serde(with = "duration")]
    pub refresh_ttl: Duration,
    #[serde(with = "duration")]
    pub grace: Duration,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Password {
    pub concurrency: usize,
}

impl Default for Password {
    fn default() -> Password {
        Password { concurrency: 2 }
    }
}

/// An account that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Account {
    pub email: String,
    pub password: Secret,
}

impl shared::config::Config for Config {
    type Listen = server::Conf;

    fn check(&self, mode: Mode, faults: &mut Faults) {
        if !mode.is_development() && self.admin.password.expose().contains(DEVELOPMENT) {
            faults.add("Admin.Password", "is the development default; set ADMIN_PASSWORD");
        }
        if self.password.concurrency == 0 {
            faults.add("Password.Concurrency", "must be at least 1");
        }
        if self.token.access_ttl >= self.token.refresh_ttl {
            faults.add("Token.AccessTtl", "must be shorter than Token.RefreshTtl");
        }
    }
}
