//! The orders of the RPC pipelines, outermost first, one line a concern: a method at its server, a call, an endpoint.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::endpoint::Weigh;
use super::methods::Method;
use crate::pipeline::access_log::AccessLog;
use crate::pipeline::metrics::Metrics;
use crate::pipeline::recover::Recover;
use crate::pipeline::timeout::{Left, Timeout};
use crate::pipeline::trace::Trace;
use crate::pipeline::{Pipeline, Protocol, Side};
use crate::telemetry::metrics::Requests;

/// `Middlewares:` of an RPC server or client: the switch of each concern, all on by default.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Middlewares {
    pub recover: bool,
    pub prometheus: bool,
    pub trace: bool,
    pub log: bool,
    pub timeout: bool,
    pub retry: bool,
}

impl Default for Middlewares {
    fn default() -> Middlewares {
        Middlewares { recover: true, prometheus: true, trace: true, log: true, timeout: true, retry: true }
    }
}

/// At the server.
pub(super) fn server(
    service: &'static str,
    on: &Middlewares,
    timeout: Duration,
    method: Option<&Method>,
) -> Arc<Pipeline> {
    let path = name(method);
    let streams = method.is_some_and(|method| method.streams || method.uploads);
    let line = || AccessLog::of(service, "rpc", "POST", path);
    Pipeline::of(service, Side::Server, Protocol::Grpc)
        .on(on.recover, Recover::of(service))
        .on(on.prometheus, Metrics::of(Requests::rpc(service, "server", path)))
        .on(on.trace, Trace::server(line()))
        .on(on.log, line())
        .on(on.timeout && !streams, Timeout::of(timeout))
        .build()
}

/// Around a whole call, its retry included.
pub(super) fn call(
    service: &'static str,
    on: &Middlewares,
    timeout: Duration,
    method: Option<&Method>,
) -> Arc<Pipeline> {
    let streams = method.is_some_and(|method| method.streams || method.uploads);
    Pipeline::of(service, Side::Client, Protocol::Grpc)
        .on(on.trace, Trace::client())
        .on(on.prometheus, Metrics::of(Requests::rpc(service, "client", name(method))))
        .on(on.timeout && !streams, Timeout::of(timeout))
        .build()
}

/// Around one attempt at one endpoint, which the balancer chose.
pub(super) fn endpoint(service: &'static str, weigh: Weigh) -> Arc<Pipeline> {
    Pipeline::of(service, Side::Client, Protocol::Grpc).on(true, Left).on(true, weigh).build()
}

fn name(method: Option<&Method>) -> &str {
    method.map_or("unknown", |method| &method.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(streams: bool) -> Method {
        Method {
            path: "/test.Things/Get".to_owned(),
            service: "test.Things".to_owned(),
            idempotent: true,
            uploads: false,
            streams,
        }
    }

    #[test]
    fn a_method_and_a_call_have_their_orders() {
        let (on, second) = (Middlewares::default(), Duration::from_secs(1));
        let (unary, stream) = (method(false), method(true));
        let at_server = |method| server("test", &on, second, method).names().join(" ");
        assert_eq!(at_server(Some(&unary)), "recover prometheus trace log timeout");
        assert_eq!(at_server(Some(&stream)), "recover prometheus trace log");
        assert_eq!(at_server(None), "recover prometheus trace log timeout");
        let at_client = |method| call("test", &on, second, method).names().join(" ");
        assert_eq!(at_client(Some(&unary)), "trace prometheus timeout");
        assert_eq!(at_client(Some(&stream)), "trace prometheus");
        assert_eq!(endpoint("test", Weigh::of(&Arc::default())).names().join(" "), "deadline load");
    }

    #[test]
    fn each_switch_takes_its_concern_out_and_no_other() {
        let all = Middlewares::default();
        let switches = [
            ("recover", Middlewares { recover: false, ..all }),
            ("prometheus", Middlewares { prometheus: false, ..all }),
            ("trace", Middlewares { trace: false, ..all }),
            ("log", Middlewares { log: false, ..all }),
            ("timeout", Middlewares { timeout: false, ..all }),
        ];
        for list in [server, call] {
            let names = |on: &Middlewares| list("test", on, Duration::from_secs(1), None).names();
            for (off, on) in &switches {
                let rest: Vec<&str> = names(&all).into_iter().filter(|name| name != off).collect();
                assert_eq!(names(on), rest, "without {off}");
            }
        }
    }
}
