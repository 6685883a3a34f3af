//! The keys of the shop in one process, and where they come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use shared::config::{Error, Faults, Loaded, Mode, Part};

use crate::overlay;
use crate::services::NAMES;

/// The configuration that comes with the shop.
const DEFAULT: &str = include_str!("../etc/mall.yaml");

/// The configuration that comes with the shop, with what a file has differently.
pub fn load(file: Option<&Path>) -> Result<Loaded<Config>, Error> {
    let Some(file) = file else {
        return shared::config::parse("mall.yaml", DEFAULT, &shared::config::environment);
    };
    let path = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
    let different = overlay::tree(&path, &text)?;
    let mut loaded = overlay::parse::<Config>(&path, DEFAULT, &different, &shared::config::environment)?;
    // As they are written: what is from the environment there is for each service to read, once and with its type.
    if let Some(Value::Object(services)) = different.get("Services") {
        loaded.own.services = services.clone().into_iter().collect();
    }
    Ok(loaded)
}

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
        for (name, different) in &self.services {
            let path = format!("Services.{name}");
            if !NAMES.contains(&name.as_str()) {
                faults.add(&path, format!("no such service; there are {}", NAMES.join(", ")));
            } else if let Value::Object(keys) = different {
                for key in keys.keys() {
                    if let Some(reason) = decided(name, key) {
                        faults.add(&format!("{path}.{key}"), reason);
                    }
                }
                for (section, reason) in [
                    (
                        "DataSource",
                        "the databases are in the shop's folder; name it by Data, outside Services",
                    ),
                    ("Provider", "the shop's own payment-sim is the provider"),
                ] {
                    if keys.get(section).and_then(|section| section.get("Url")).is_some() {
                        faults.add(&format!("{path}.{section}.Url"), reason);
                    }
                }
            } else if !different.is_null() {
                faults.add(&path, "takes keys of that service's own configuration");
            }
        }
    }
}

/// Why a service of the shop has no such key of its own, if it has none.
fn decided(service: &str, key: &str) -> Option<String> {
    let reason = match (key, service) {
        ("Name", _) => "the services have the names by which they are called here".to_owned(),
        ("Mode" | "Log" | "Prometheus" | "Telemetry" | "Shutdown", _) | ("Host" | "Port", "order-api") => {
            format!("one process has one {key}; write it outside Services")
        }
        ("Host" | "Port", _) => {
            "a service of the shop listens on any free port, for the shop alone; run it on its own for another"
                .to_owned()
        }
        ("Advertise" | "Registry" | "Key", _) => {
            "the services of one process find each other without it".to_owned()
        }
        _ => return None,
    };
    Some(reason)
}
