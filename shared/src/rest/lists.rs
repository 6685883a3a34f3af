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

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::pipeline::auth::{Keys, Rules};

    fn lists(on: Middlewares) -> Lists {
        let verifier = Some(Verifier::new(Keys::default(), &Rules::of("issuer", "audience")));
        Lists { service: "test", on, timeout: Duration::from_secs(1), verifier }
    }

    fn spec(jwt: bool, sse: bool) -> Spec {
        Spec { jwt, sse, ..Spec::new(Method::GET, "/v1/things", "thing.list") }
    }

    #[test]
    fn each_class_of_route_has_its_order() {
        let lists = lists(Middlewares::default());
        let names = |jwt, sse| lists.route(&spec(jwt, sse)).names().join(" ");
        assert_eq!(names(false, false), "recover prometheus trace log timeout");
        assert_eq!(names(true, false), "recover prometheus trace auth log timeout");
        assert_eq!(names(true, true), "recover prometheus trace auth log");
        assert_eq!(lists.unmatched("not_found").names().join(" "), "recover prometheus trace log");
    }

    #[test]
    fn each_switch_takes_its_concern_out_and_no_other() {
        let all = Middlewares::default();
        let switches = [
            ("recover", Middlewares { recover: false, ..all }),
            ("prometheus", Middlewares { prometheus: false, ..all }),
            ("trace", Middlewares { trace: false, ..all }),
            ("auth", Middlewares { auth: false, ..all }),
            ("log", Middlewares { log: false, ..all }),
            ("timeout", Middlewares { timeout: false, ..all }),
        ];
        let whole = lists(all).route(&spec(true, false)).names();
        for (off, on) in switches {
            let rest: Vec<&str> = whole.iter().copied().filter(|name| *name != off).collect();
            assert_eq!(lists(on).route(&spec(true, false)).names(), rest, "without {off}");
        }
    }
}
