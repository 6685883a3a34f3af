//! Access log: one line a request. What never changes is made at start.

use super::{Concern, Cx, Outcome};
use crate::telemetry::log::{self, Constant};

pub struct AccessLog {
    fine: Constant,
    failed: Constant,
}

impl AccessLog {
    /// `kind` is `http` or `rpc`; `route` the pattern or the method's path, never what the client wrote.
    pub fn of(service: &'static str, kind: &str, method: &str, route: &str) -> AccessLog {
        let line = |level| {
            let fields = [("kind", kind), ("method", method), ("route", route)];
            Constant::new(service, level, "access", "request", &fields)
        };
        AccessLog { fine: line("INFO"), failed: line("WARN") }
    }

    pub(super) fn write(&self, outcome: &Outcome) {
        let constant = if outcome.failed() { &self.failed } else { &self.fine };
        log::write(constant, |line| line.ended(outcome.code, outcome.end.as_str(), outcome.took));
    }
}

impl Concern for AccessLog {
    fn name(&self) -> &'static str {
        "log"
    }

    fn done(&self, cx: &mut Cx, outcome: &Outcome) {
        cx.logged = true;
        self.write(outcome);
    }
}
