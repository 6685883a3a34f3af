//! Every metric of the framework, by name, with its help: this screen is the list. Labels are bounded: a route's
//! pattern, a method's name, a code. Handles are made at start; nothing is looked up by name on the path of a request.

use std::sync::{Mutex, OnceLock, PoisonError};

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

const HTTP: &str = "http_request_duration_ms";
const RPC: &str = "rpc_duration_ms";
const SQL: &str = "sql_duration_ms";
const SQL_CONNECTIONS: &str = "sql_connections";
const CACHE: &str = "cache_requests_total";
const OUTBOX_UNSENT: &str = "outbox_unsent";
const OUTBOX_LAG: &str = "outbox_lag_seconds";
const CONSUMED: &str = "queue_events_total";
const QUEUE_WAITING: &str = "queue_waiting";
const QUEUE_LAG: &str = "queue_lag_ms";
const LOG_DROPPED: &str = "log_lines_dropped_total";
const PANICS: &str = "panics_total";

fn describe() {
    describe_histogram!(HTTP, Unit::Milliseconds, "HTTP requests by service, side, method, route and status");
    describe_histogram!(RPC, Unit::Milliseconds, "gRPC calls by service, side, method and gRPC code");
    describe_histogram!(SQL, Unit::Milliseconds, "SQL statements by service and statement name");
    describe_gauge!(SQL_CONNECTIONS, "Connections to the database by service and state: idle, used");
    describe_counter!(CACHE, "Cache look-ups by cache and result: hit, miss, absent, bypass");
    describe_gauge!(OUTBOX_UNSENT, "Events written and not yet acknowledged by all their groups, by service");
    describe_gauge!(OUTBOX_LAG, Unit::Seconds, "Age of the oldest of them, by service");
    describe_counter!(CONSUMED, "Events by consumer and result: done, duplicate, retried, dead");
    describe_gauge!(QUEUE_WAITING, "Events that came and are not done, by consumer");
    describe_histogram!(QUEUE_LAG, Unit::Milliseconds, "From what happened to its effect, by consumer");
    describe_counter!(LOG_DROPPED, "Log lines dropped because the log could not keep up");
    describe_counter!(PANICS, "Panics caught in requests, by service");
    // process_start_time_seconds, process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
    // process_virtual_memory_max_bytes, process_open_fds, process_max_fds, process_threads.
    metrics_process::Collector::default().describe();
}

/// Upper bounds of the buckets of every `*_duration_ms`, in milliseconds.
const BUCKETS: [f64; 15] =
    [0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0];

/// An event may wait for a consumer that is away, up to hours.
const LAG_BUCKETS: [f64; 12] =
    [2.5, 10.0, 25.0, 50.0, 100.0, 250.0, 1_000.0, 5_000.0, 30_000.0, 120_000.0, 600_000.0, 3_600_000.0];

static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts recording, once for the process; later calls change nothing.
pub fn start() -> Result<(), BuildError> {
    if PROMETHEUS.get().is_some() {
        return Ok(());
    }
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_duration_ms".to_owned()), &BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(QUEUE_LAG.to_owned()), &LAG_BUCKETS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() {
        PROMETHEUS.get_or_init(|| handle);
        describe();
    }
    Ok(())
}

/// Everything recorded so far, as Prometheus reads it. Reads what the system knows of this process, so it blocks a little.
pub fn render() -> String {
    let Some(prometheus) = PROMETHEUS.get() else { return String::new() };
    metrics_process::Collector::default().collect();
    samplers().retain(|sample| sample());
    prometheus.render()
}

/// Sums up what was recorded. Without it the recorded values themselves are kept until somebody asks for them.
pub(super) fn sum_up() {
    if let Some(prometheus) = PROMETHEUS.get() {
        prometheus.run_upkeep();
    }
}

type Sampler = Box<dyn Fn() -> bool + Send>;

/// Sets gauges whenever they are asked for, until it says `false`: what it looked at is gone.
pub(crate) fn sample(sampler: impl Fn() -> bool + Send + 'static) {
    samplers().push(Box::new(sampler));
}

fn samplers() -> std::sync::MutexGuard<'static, Vec<Sampler>> {
    static SAMPLERS: Mutex<Vec<Sampler>> = Mutex::new(Vec::new());
    SAMPLERS.lock().unwrap_or_else(PoisonError::into_inner)
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

pub(crate) fn sql_connections(service: &'static str, state: &'static str) -> Gauge {
    gauge!(SQL_CONNECTIONS, "service" => service, "state" => state)
}

/// How many are unsent, and how old the oldest is.
pub(crate) fn outbox(service: &'static str) -> (Gauge, Gauge) {
    (gauge!(OUTBOX_UNSENT, "service" => service), gauge!(OUTBOX_LAG, "service" => service))
}

pub fn consumed(consumer: &'static str, result: &'static str) -> Counter {
    counter!(CONSUMED, "consumer" => consumer, "result" => result)
}

/// How many wait, and how long it took.
pub(crate) fn queue(consumer: &'static str) -> (Gauge, Histogram) {
    (gauge!(QUEUE_WAITING, "consumer" => consumer), histogram!(QUEUE_LAG, "consumer" => consumer))
}

pub fn panicked(service: &'static str) {
    counter!(PANICS, "service" => service).increment(1);
}

pub(super) fn log_dropped(lines: u64) {
    counter!(LOG_DROPPED).increment(lines);
}
