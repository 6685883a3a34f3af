//! An event as CloudEvents 1.0 writes it in JSON, with the trace it belongs to.

use std::time::{Duration, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::clock;
use crate::error::BoxError;
use crate::pipeline::ambient;

/// Readers ignore what they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    specversion: String,
    /// UUIDv7: what an inbox remembers.
    pub id: String,
    /// The service that tells it.
    pub source: String,
    /// What happened, such as `order.paid`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it happened to: the key by which order is kept.
    pub subject: String,
    /// RFC 3339.
    pub time: String,
    datacontenttype: String,
    /// Counts the events of one subject from 1.
    pub sequence: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    pub data: Value,
}

impl Event {
    /// An event of now, in the trace of the code that makes it.
    pub fn new(
        source: &str,
        kind: &str,
        subject: &str,
        sequence: i64,
        data: &impl Serialize,
    ) -> Result<Event, serde_json::Error> {
        let ids = ambient::current().map(|ambient| ambient.ids).filter(|ids| ids.trace != 0);
        let now = UNIX_EPOCH + Duration::from_millis(clock::wall_ms().unsigned_abs());
        Ok(Event {
            specversion: "1.0".to_owned(),
            id: Uuid::now_v7().to_string(),
            source: source.to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            time: humantime::format_rfc3339_millis(now).to_string(),
            datacontenttype: "application/json".to_owned(),
            sequence,
            traceparent: ids.map(|ids| String::from_utf8_lossy(&ids.traceparent()).into_owned()),
            data: serde_json::to_value(data)?,
        })
    }

    /// How long ago it happened.
    pub fn age(&self) -> Duration {
        let then = humantime::parse_rfc3339(&self.time).ok();
        let then = then.and_then(|then| then.duration_since(UNIX_EPOCH).ok());
        then.map_or(Duration::ZERO, |then| clock::wall().saturating_sub(then))
    }

    pub fn read<T: DeserializeOwned>(&self) -> Result<T, BoxError> {
        Ok(T::deserialize(&self.data)?)
    }
}
