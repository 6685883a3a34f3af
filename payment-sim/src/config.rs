//! The keys of payment-sim beside those of every REST service.

use std::time::Duration;

use serde::Deserialize;
use shared::config::{Faults, Mode, duration};
use shared::rest;
use shared::store::sql::DataSource;

/// The contract ends a charge later than this.
const LONGEST_HANG: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Config {
    pub data_source: DataSource,
    /// How long a charge is pending to a card that makes it so.
    #[serde(with = "duration", default = "settle_after")]
    pub settle_after: Duration,
    /// How long the card that is never answered holds its connection: longer than clients wait.
    #[serde(with = "duration", default = "hang_for")]
    pub hang_for: Duration,
}

fn settle_after() -> Duration {
    Duration::from_secs(2)
}

fn hang_for() -> Duration {
    Duration::from_secs(30)
}

impl shared::config::Config for Config {
    type Listen = rest::Conf;

    fn check(&self, _: Mode, faults: &mut Faults) {
        if self.hang_for > LONGEST_HANG {
            faults.add("HangFor", format_args!("must be at most {}s", LONGEST_HANG.as_secs()));
        }
    }
}
