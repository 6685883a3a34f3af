//! Durations in a configuration: `2s`, `500ms`, `1m30s`, or a bare number of milliseconds as go-zero writes them. For
//! `#[serde(with = "duration")]`.

use std::fmt;
use std::time::Duration;

use serde::Deserializer;
use serde::de::{Error, Visitor};

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    struct Written;
    impl Visitor<'_> for Written {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration such as 2s, or milliseconds")
        }

        fn visit_u64<E: Error>(self, milliseconds: u64) -> Result<Duration, E> {
            Ok(Duration::from_millis(milliseconds))
        }

        fn visit_i64<E: Error>(self, milliseconds: i64) -> Result<Duration, E> {
            let milliseconds = u64::try_from(milliseconds)
                .map_err(|_| E::custom(format!("`{milliseconds}` is less than nothing")))?;
            Ok(Duration::from_millis(milliseconds))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            parse(text).map_err(E::custom)
        }
    }
    from.deserialize_any(Written)
}

/// As in a configuration.
pub fn parse(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| format!("`{text}` is no duration; write 500ms, 2s or 1m30s"))
}
