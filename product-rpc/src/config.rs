//! The keys of product-rpc beside those of every RPC service.

use std::time::Duration;

use serde::Deserialize;
use shared::config::{Faults, Mode, duration};
use shared::format::Format;
use shared::queue;
use shared::rpc::server;
use shared::store::sql::DataSource;
use shared::store::{cache, idempotency};

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Config {
    pub data_source: DataSource,
    /// For the list of categories.
    #[serde(default)]
    pub cache: cache::Conf,
    /// Where the events of orders come from.
    pub queue: queue::Conf,
    /// ISO 4217: what every price is in.
    pub currency: String,
    /// Whether an empty catalogue is filled at the start.
    pub seed: bool,
    #[serde(default)]
    pub reservation: Reservation,
    #[serde(default)]
    pub idempotency: idempotency::Conf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Reservation {
    /// How long a hold lasts where its order asks for nothing else.
    #[serde(with = "duration")]
    pub ttl: Duration,
    /// How long an order may ask for.
    #[serde(with = "duration")]
    pub max_ttl: Duration,
    /// How often holds are looked for whose time is over.
    #[serde(with = "duration")]
    pub sweep: Duration,
    /// How many of them at once.
    pub batch: u32,
}

impl Default for Reservation {
    fn default() -> Reservation {
        Reservation {
            ttl: Duration::from_secs(16 * 60),
            max_ttl: Duration::from_secs(24 * 3600),
            sweep: Duration::from_secs(1),
            batch: 100,
        }
    }
}

impl shared::config::Config for Config {
    type Listen = server::Conf;

    fn check(&self, _: Mode, faults: &mut Faults) {
        if !Format::Currency.fits(&self.currency) {
            faults.add("Currency", format!("must be {}", Format::Currency.description()));
        }
        let Reservation { ttl, max_ttl, sweep, batch } = self.reservation;
        if ttl.is_zero() || ttl > max_ttl {
            faults.add("Reservation.Ttl", "must be more than nothing, and no longer than Reservation.MaxTtl");
        }
        if sweep.is_zero() {
            faults.add("Reservation.Sweep", "must be more than nothing");
        }
        if batch == 0 {
            faults.add("Reservation.Batch", "must be at least 1");
        }
        if self.idempotency.lease >= self.idempotency.keep {
            faults.add("Idempotency.Lease", "must be shorter than Idempotency.Keep");
        }
    }
}
