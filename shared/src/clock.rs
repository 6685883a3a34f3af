//! The clock of the process: monotonic ticks for durations and deadlines, wall time for what is stored and shown.
//! No other file reads a clock, so that a test which pauses tokio's time reaches every policy.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

/// Nanoseconds since the process first asked. One clock read; what follows is integer arithmetic.
pub fn tick() -> u64 {
    // 2^64 ns are 584 years.
    Instant::now().saturating_duration_since(epoch()).as_nanos() as u64
}

/// The instant of a tick, for timers.
pub fn instant(tick: u64) -> Instant {
    epoch() + Duration::from_nanos(tick)
}

/// Now, as the duration since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
pub fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Now, in milliseconds since the Unix epoch: the unit of every time that is stored or sent.
pub fn wall_ms() -> i64 {
    i64::try_from(wall().as_millis()).unwrap_or(i64::MAX)
}
