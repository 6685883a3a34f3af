//! The keys of the shop in one process, and what `main` and tests start it with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use shared::config::{Faults, Mode, Part};

use crate::services::NAMES;

/// Where the gateway listens.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Listen {
    pub host: String,
    pub port: u16,
}

impl Part for Listen {
    const KEYS: &'static [&'static str] = &["Host", "Port"];
}

impl Default for Listen {
    fn default() -> Listen {
        Listen { host: "127.0.0.1".to_owned(), port: 8888 }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Config {
    pub data: PathBuf,
    /// A temporary folder instead of `data`.
    pub ephemeral: bool,
    /// By a service's name: what its own configuration is overlaid with.
    pub services: BTreeMap<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config { data: PathBuf::from("data"), ephemeral: false, services: BTreeMap::new() }
    }
}

impl shared::config::Config for Config {
    type Listen = Listen;

    fn check(&self, _: Mode, faults: &mut Faults) {
        for name in self.services.keys() {
            if !NAMES.contains(&name.as_str()) {
                let known = NAMES.join(", ");
                faults.add(&format!("Services.{name}"), format!("no such service; there are {known}"));
            }
        }
    }
}
