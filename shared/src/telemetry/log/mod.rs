//! Logs: one JSON line an event, with the ids of the request that surrounds it. `tracing` is how people log; the lines
//! are formatted here, since the usual formatter costs more instructions than a whole pipeline.

mod line;
mod writer;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

pub use line::{Constant, Line};
pub use writer::Writer;

use super::{Log, LogEncoding, LogLevel};
use crate::error::BoxError;
use line::Speaker;
use writer::Sink;

struct Output {
    sink: &'static Sink,
    service: String,
    plain: bool,
}

static OUTPUT: OnceLock<Output> = OnceLock::new();
static STARTED: AtomicBool = AtomicBool::new(false);

/// Libraries that talk below `warn` of what our own lines say better.
const QUIET: [&str; 6] = ["h2", "hyper", "hyper_util", "sqlx", "tonic", "tower"];

/// Starts the log of the process. Once; a second start is an error.
pub fn start(name: &str, log: &Log) -> Result<Writer, BoxError> {
    if STARTED.swap(true, Ordering::SeqCst) {
        return Err("the log was started already".into());
    }
    let writer = Writer::start(log)?;
    let service = if log.service_name.is_empty() { name } else { &log.service_name };
    install(writer.sink(), service, log.encoding, log.level)?;
    Ok(writer)
}

/// Keeps the lines in memory instead: for tests. Many may ask; the first one starts it.
pub fn capture() {
    if !STARTED.swap(true, Ordering::SeqCst) {
        let started = install(Sink::capturing(), "test", LogEncoding::Json, LogLevel::Info);
        started.expect("nothing else sets a subscriber in a test");
    }
}

/// The lines captured so far that contain `text`.
pub fn captured(text: &str) -> Vec<String> {
    OUTPUT.get().map(|output| output.sink.captured(text)).unwrap_or_default()
}

fn install(
    sink: &'static Sink,
    service: &str,
    encoding: LogEncoding,
    level: LogLevel,
) -> Result<(), BoxError> {
    let plain = encoding == LogEncoding::Plain;
    let output = Output { sink, service: service.to_owned(), plain };
    if OUTPUT.set(output).is_err() {
        return Err("the log was started already".into());
    }
    let level = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let mut targets = Targets::new().with_default(level);
    for library in QUIET {
        targets = targets.with_target(library, level.min(LevelFilter::WARN));
    }
    tracing_subscriber::registry().with(Lines).with(targets).try_init()?;
    Ok(())
}

/// Writes one line past `tracing`: for the access log, whose constant part was made at start.
pub fn write(constant: &Constant, fields: impl FnOnce(&mut Line<'_>)) {
    if let Some(output) = OUTPUT.get() {
        line::with(output.plain, Speaker::Made(constant), fields, |bytes| output.sink.push(bytes));
    }
}

/// The layer that turns `tracing` events into lines.
struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Some(output) = OUTPUT.get() else { return };
        let metadata = event.metadata();
        line::with(
            output.plain,
            Speaker::Around(&output.service),
            |line| {
                line.head(metadata.level().as_str(), metadata.target());
                // The message leads, wherever the macro put it.
                event.record(&mut Fields { line, messages: true });
                event.record(&mut Fields { line, messages: false });
            },
            |bytes| output.sink.push(bytes),
        );
    }
}

struct Fields<'a, 'b> {
    line: &'a mut Line<'b>,
    messages: bool,
}

impl Fields<'_, '_> {
    fn wants(&self, field: &Field) -> bool {
        (field.name() == "message") == self.messages
    }
}

impl Visit for Fields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.wants(field) {
            self.line.text(field.name(), value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if self.wants(field) {
            self.line.number(field.name(), value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if self.wants(field) {
            self.line.raw(field.name(), format_args!("{value}"));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if self.wants(field) {
            self.line.raw(field.name(), format_args!("{value}"));
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if !self.wants(field) {
        } else if value.is_finite() {
            self.line.raw(field.name(), format_args!("{value}"));
        } else {
            self.line.text(field.name(), &value.to_string());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if self.wants(field) {
            self.line.text(field.name(), &format!("{value:?}"));
        }
    }
}
