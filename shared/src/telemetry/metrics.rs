//! Every metric of the framework, by name, with its help: this screen is the list. Labels are bounded: a route's
//! pattern, a method's name, a code. Handles are made at start; nothing is looked up by name on the path of a request.

use std::sync::OnceLock;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

const HTTP: &str = "http_request_duration_ms";
const RPC: &str = "rpc_duration_ms";
const SQL: &str = "sql_duration_ms";
const CACHE: &str = "cache_requests_total";
const OUTBOX: &str = "outbox_unsent";
const CONSUMED: &str = "queue_events_total";
const LOG_DROPPED: &str = "log_lines_dropped_total";
const PANICS: &str = "panics_total";

fn describe() {
    describe_histogram!(HTTP, Unit::Milliseconds, "HTTP requests by service, side, method, route and status");
    describe_histogram!(RPC, Unit::Milliseconds, "gRPC calls by service, side, method and gRPC code");
    describe_histogram!(SQL, Unit::Milliseconds, "SQL statements by service and statement name");
    describe_counter!(CACHE, "Cache look-ups by cache and result: hit, miss, absent, bypass");
    describe_gauge!(OUTBOX, "Events written and not yet acknowledged by every consumer group, by service");
    describe_counter!(CONSUMED, "Events by consumer and result: done, duplicate, retried, dead");
    describe_counter!(LOG_DROPPED, "Log lines dropped because the log could not keep up");
    describe_counter!(PANICS, "Panics caught in requests, by service");
}

/// Upper bounds of the buckets of every `*_duration_ms`, in milliseconds.
const BUCKETS: [f64; 15] =
    [0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0];

static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts recording, once for the process; later calls change nothing.
pub fn start() -> Result<(), BuildError> {
    if PROMETHEUS.get().is_some() {
        return Ok(());
    }
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_duration_ms".to_owned()), &BUCKETS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() {
        PROMETHEUS.get_or_init(|| handle);
        describe();
    }
    Ok(())
}

/// Everything recorded so far, as Prometheus reads it.
pub fn render() -> String {
    PROMETHEUS
        .get()
        .map(|prometheus| {
            prometheus.run_upkeep();
            prometheus.render()
        })
        .unwrap_or_default()
}

/// The statuses that have a handle; the few others share one, labelled `other`.
const STATUSES: [u16; 27] = [
    200, 201, 202, 204, 101, 301, 302, 304, 400, 401, 402, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429,
    499, 500, 501, 502, 503, 504,
];

/// The duration of the requests of one route, or of the calls of one method. A handle is made when its code first occurs.
pub struct Requests {
    name: &'static str,
    labels: Vec<(&'static str, String)>,
    by_code: Box<[OnceLock<Histogram>]>,
}

impl Requests {
    pub fn http(service: &str, side: &'static str, method: &str, route: &str) -> Requests {
        let labels = [("service", service), ("side", side), ("method", method), ("route", route)];
        Requests::new(HTTP, &labels, STATUSES.len() + 1)
    }

    pub fn rpc(service: &str, side: &'static str, method: &str) -> Requests {
        Requests::new(RPC, &[("service", service), ("side", side), ("method", method)], 18)
    }

    fn new(name: &'static str, labels: &[(&'static str, &str)], codes: usize) -> Requests {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Requests { name, labels, by_code: (0..codes).map(|_| OnceLock::new()).collect() }
    }

    /// `code` is an HTTP status or a gRPC code, as the metric's name says.
    pub fn record(&self, code: u16, nanoseconds: u64) {
        let last = self.by_code.len() - 1;
        let index = match self.name {
            HTTP => STATUSES.iter().position(|status| *status == code).unwrap_or(last),
            _ => usize::from(code).min(last),
        };
        let histogram = self.by_code[index].get_or_init(|| {
            let code = if index == last { "other".to_owned() } else { code.to_string() };
            let mut labels: Vec<metrics::Label> =
                self.labels.iter().map(|(name, value)| metrics::Label::new(*name, value.clone())).collect();
            labels.push(metrics::Label::new("code", code));
            histogram!(self.name, labels)
        });
        histogram.record(nanoseconds as f64 / 1e6);
    }
}

pub fn sql(service: &'static str, statement: &'static str) -> Histogram {
    histogram!(SQL, "service" => service, "statement" => statement)
}

pub fn cache(cache: &'static str, result: &'static str) -> Counter {
    counter!(CACHE, "cache" => cache, "result" => result)
}

pub fn outbox_unsent(service: &'static str) -> Gauge {
    gauge!(OUTBOX, "service" => service)
}

pub fn consumed(consumer: &'static str, result: &'static str) -> Counter {
    counter!(CONSUMED, "consumer" => consumer, "result" => result)
}

pub fn panicked(service: &'static str) {
    counter!(PANICS, "service" => service).increment(1);
}

pub(super) fn log_dropped(lines: u64) {
    counter!(LOG_DROPPED).increment(lines);
}
