//! The keys of order-api beside those of every REST service.

use std::time::Duration;

use serde::Deserialize;
use shared::config::{Faults, Mode, duration};
use shared::pipeline::auth::Rules;
use shared::rest;
use shared::rpc::client;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Config {
    pub auth: Rules,
    #[serde(default)]
    pub keys: Keys,
    pub user_rpc: client::Conf,
    pub product_rpc: client::Conf,
    pub order_rpc: client::Conf,
    pub queue: Queue,
    #[serde(default)]
    pub watch: Watch,
    #[serde(default)]
    pub pictures: Pictures,
}

/// How often the public keys of access tokens are asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Keys {
    #[serde(with = "duration")]
    pub interval: Duration,
    /// Before the next time at least, whatever the reason: anybody can send a token with an unknown key.
    #[serde(with = "duration")]
    pub pause: Duration,
}

impl Default for Keys {
    fn default() -> Keys {
        Keys { interval: Duration::from_secs(300), pause: Duration::from_secs(1) }
    }
}

/// Where the events of orders are heard.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Queue {
    pub url: String,
}

/// Limits of the streams that tell how an order goes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Watch {
    /// Streams at once.
    pub most: usize,
    /// Events that a stream may be behind before it reads the order's history instead.
    pub behind: usize,
    /// Streams that read a history at once, after events were missed.
    pub reads: usize,
}

impl Default for Watch {
    fn default() -> Watch {
        Watch { most: 10_000, behind: 16, reads: 16 }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Pictures {
    /// How long a browser keeps one without asking.
    #[serde(with = "duration")]
    pub max_age: Duration,
}

impl Default for Pictures {
    fn default() -> Pictures {
        Pictures { max_age: Duration::from_secs(7 * 86_400) }
    }
}

impl shared::config::Config for Config {
    type Listen = rest::Conf;

    fn check(&self, _: Mode, faults: &mut Faults) {
        for (key, conf) in
            [("UserRpc", &self.user_rpc), ("ProductRpc", &self.product_rpc), ("OrderRpc", &self.order_rpc)]
        {
            if conf.registry.is_empty() || conf.key.is_empty() {
                faults.add(key, "needs a Registry, and the Key under which the service registers");
            }
        }
        if self.keys.pause.is_zero() || self.keys.interval < self.keys.pause {
            faults.add("Keys.Pause", "must be more than 0s, and at most Keys.Interval");
        }
        for (key, limit) in [
            ("Watch.Most", self.watch.most),
            ("Watch.Behind", self.watch.behind),
            ("Watch.Reads", self.watch.reads),
        ] {
            if limit == 0 {
                faults.add(key, "must be at least 1");
            }
        }
    }
}
