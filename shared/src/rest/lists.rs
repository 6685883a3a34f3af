//! The order of the HTTP server's pipeline, outermost first, one line a concern.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::Spec;
use crate::pipeline::access_log::AccessLog;
use crate::pipeline::auth::{Auth, Verifier};
use crate::pipeline::metrics::Metrics;
use crate::pipeline::recover::Recover;
use crate::pipeline::timeout::Timeout;
use crate::pipeline::trace::Trace;
use crate::pipeline::{Pipeline, Protocol, Side};
use crate::telemetry::metrics::Requests;

/// `Middlewares:` in a configuration: the switch of each concern, all on by default.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Middlewares {
    pub recover: bool,
    pub prometheus: bool,
    pub trace: bool,
    pub auth: bool,
    pub log: bool,
    pub timeout: bool,
}

impl Default for Middlewares {
    fn default() -> Middlewares {
        Middlewares { recover: true, prometheus: true, trace: true, auth: true, log: true, timeout: true }
    }
}

/// What all lists of one server share.
pub(super) struct Lists {
    pub(super) service: &'static str,
    pub(super) on: Middlewares,
    pub(super) timeout: Duration,
    pub(super) verifier: Option<Verifier>,
}

impl Lists {
    /// # Panics
    /// Where a route needs a caller and nothing can verify one: a mistake of whoever built the server.
    pub(super) fn route(&self, spec: &Spec) -> Arc<Pipeline> {
        let (on, service, method) = (&self.on, self.service, spec.method.as_str());
        let line = || AccessLog::of(service, "http", method, spec.pattern);
        let jwt = on.auth && spec.jwt;
        let auth = jwt.then(|| Auth::of(self.verifier.clone().expect("a route with jwt needs a verifier")));
        Pipeline::of(service, Side::Server, Protocol::Http)
            .on(on.recover, Recover::of(service))
            .on(on.prometheus, Metrics::of(Requests::http(service, "server", method, spec.pattern)))
            .on(on.trace, Trace::server(line()))
            .maybe(auth)
            .on(on.log, line())
            .all(&spec.middleware)
            .on(on.timeout && !spec.sse, Timeout::of(spec.timeout.unwrap_or(self.timeout)))
            .build()
    }

    /// For what no route answers: an unknown path, or a known one with another method. `name` stands for the pattern.
    pub(super) fn unmatched(&self, name: &'static str) -> Arc<Pipeline> {
        let (on, service) = (&self.on, self.service);
        let line = || AccessLog::of(service, "http", "*", name);
        Pipeline::of(service, Side::Server, Protocol::Http)
            .on(on.recover, Recover::of(service))
            .on(on.prometheus, Metrics::of(Requests::http(service, "server", "*", name)))
            .on(on.trace, Trace::server(line()))
            .on(on.log, line())
            .build()
    }
}
