//! Metrics: the duration of every request by code, whatever became of it.

use super::{Concern, Cx, Outcome};
use crate::telemetry::metrics::Requests;

pub struct Metrics(Requests);

impl Metrics {
    pub fn of(requests: Requests) -> Metrics {
        Metrics(requests)
    }
}

impl Concern for Metrics {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn done(&self, _: &mut Cx, outcome: &Outcome) {
        self.0.record(outcome.code, outcome.took);
    }
}
