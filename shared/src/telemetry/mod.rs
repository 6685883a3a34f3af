//! What can be seen: logs, metrics, traces, and the admin port that shows them.

pub mod admin;
pub mod log;
pub mod metrics;
pub mod trace;

use std::path::PathBuf;

use serde::Deserialize;

use crate::error::BoxError;

/// `Log:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Log {
    /// The `service` of lines outside of a request; the service's name where it is empty.
    pub service_name: String,
    pub mode: LogMode,
    /// The file of mode `file`.
    pub path: PathBuf,
    pub level: LogLevel,
    pub encoding: LogEncoding,
}

impl Default for Log {
    fn default() -> Log {
        Log {
            service_name: String::new(),
            mode: LogMode::Console,
            path: PathBuf::from("logs/access.log"),
            level: LogLevel::Info,
            encoding: LogEncoding::Json,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogMode {
    Console,
    File,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogEncoding {
    Json,
    Plain,
}

/// `Prometheus:` in a configuration: the admin port, where metrics and health are asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Prometheus {
    pub host: String,
    pub port: u16,
    pub path: String,
}

impl Default for Prometheus {
    fn default() -> Prometheus {
        Prometheus { host: "0.0.0.0".to_owned(), port: 9101, path: "/metrics".to_owned() }
    }
}

/// `Telemetry:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Telemetry {
    /// The service's name in traces; its own name where it is empty.
    pub name: String,
    /// Where spans go. They are not exported yet: ids and spans exist, and continue from process to process.
    pub endpoint: String,
    /// The share of new traces that are sampled, 0.0 to 1.0.
    pub sampler: f64,
    pub batcher: String,
}

impl Default for Telemetry {
    fn default() -> Telemetry {
        Telemetry { name: String::new(), endpoint: String::new(), sampler: 1.0, batcher: String::new() }
    }
}

/// Starts logs and metrics for the process; what is returned flushes the log when it is dropped.
pub fn start(name: &str, log: &Log, telemetry: &Telemetry) -> Result<log::Writer, BoxError> {
    let writer = log::start(name, log)?;
    metrics::start()?;
    trace::sample(telemetry.sampler);
    Ok(writer)
}
