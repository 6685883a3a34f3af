//! Tracing: continues the caller's trace or begins one, and tells the next hop. At a server every answer carries
//! `X-Trace-Id`, and a request that was refused before its access log was reached gets its line from here.

use http::request;

use super::access_log::AccessLog;
use super::protocol::{TRACEPARENT, X_TRACE_ID};
use super::{Admit, Answer, Concern, Cx, Outcome, Protocol, Side, ambient, header};
use crate::telemetry::trace::Ids;

pub struct Trace {
    /// At a server.
    fallback: Option<AccessLog>,
}

impl Trace {
    /// `fallback` writes the line of a request that the route's own access log never saw.
    pub fn server(fallback: AccessLog) -> Trace {
        Trace { fallback: Some(fallback) }
    }

    pub fn client() -> Trace {
        Trace { fallback: None }
    }
}

impl Concern for Trace {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn admit(&self, cx: &mut Cx, head: &mut request::Parts) -> Admit {
        match cx.side {
            Side::Server => {
                let caller = head.headers.get(&TRACEPARENT);
                cx.ids = caller.and_then(|value| Ids::continued(value.as_bytes())).unwrap_or_else(Ids::root);
            }
            Side::Client => {
                let around = ambient::current().map(|ambient| ambient.ids).filter(|ids| ids.trace != 0);
                cx.ids = around.map_or_else(Ids::root, Ids::child);
                head.headers.insert(TRACEPARENT, header::value(&cx.ids.traceparent()));
            }
        }
        Admit::Go
    }

    fn answers(&self) -> bool {
        self.fallback.is_some()
    }

    fn answer(&self, cx: &mut Cx, head: &mut Answer<'_>) {
        if cx.protocol == Protocol::Http {
            head.headers.insert(X_TRACE_ID, header::value(&cx.ids.trace_hex()));
        }
    }

    fn done(&self, cx: &mut Cx, outcome: &Outcome) {
        match &self.fallback {
            Some(access_log) if !cx.logged => access_log.write(outcome),
            _ => {}
        }
    }
}
