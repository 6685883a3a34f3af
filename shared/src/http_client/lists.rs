//! The orders of the outbound HTTP pipelines, outermost first, one line a concern: a call, and each attempt at it.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::pipeline::metrics::Metrics;
use crate::pipeline::timeout::Timeout;
use crate::pipeline::trace::Trace;
use crate::pipeline::{Pipeline, Protocol, Side};
use crate::telemetry::metrics::Requests;

/// `Middlewares:` of an HTTP client: the switch of each concern, all on by default.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Middlewares {
    pub trace: bool,
    pub prometheus: bool,
    pub timeout: bool,
    pub retry: bool,
}

impl Default for Middlewares {
    fn default() -> Middlewares {
        Middlewares { trace: true, prometheus: true, timeout: true, retry: true }
    }
}

/// Around a whole call, its retry and the body of its answer included.
pub(super) fn call(
    service: &'static str,
    on: &Middlewares,
    timeout: Duration,
    method: &str,
    route: &str,
) -> Arc<Pipeline> {
    Pipeline::of(service, Side::Client, Protocol::Http)
        .on(on.trace, Trace::client())
        .on(on.prometheus, Metrics::of(Requests::http(service, "client", method, route)))
        .on(on.timeout, Timeout::of(timeout))
        .build()
}

/// Around one attempt: what guards the peer stands here, so that a retry is guarded as well.
pub(super) fn attempt(service: &'static str) -> Arc<Pipeline> {
    Pipeline::of(service, Side::Client, Protocol::Http).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(on: &Middlewares) -> Vec<&'static str> {
        call("test", on, Duration::from_secs(1), "GET", "peer/v1/things").names()
    }

    #[test]
    fn a_call_has_its_order() {
        assert_eq!(names(&Middlewares::default()).join(" "), "trace prometheus timeout");
        assert!(attempt("test").names().is_empty());
    }

    #[test]
    fn each_switch_takes_its_concern_out_and_no_other() {
        let all = Middlewares::default();
        let switches = [
            ("trace", Middlewares { trace: false, ..all }),
            ("prometheus", Middlewares { prometheus: false, ..all }),
            ("timeout", Middlewares { timeout: false, ..all }),
            ("retry", Middlewares { retry: false, ..all }),
        ];
        for (off, on) in switches {
            let rest: Vec<&str> = names(&all).into_iter().filter(|name| *name != off).collect();
            assert_eq!(names(&on), rest, "without {off}");
        }
    }
}
