//! Timeout: sets the deadline that the pipeline's future keeps. The sooner of ours, what the caller allows, and what is
//! left of the request around a call. [`Left`] tells the next hop what remains when an attempt begins.

use std::time::Duration;

use http::request;

use super::protocol::GRPC_TIMEOUT;
use super::{Admit, Concern, Cx, Protocol, Refusal, header};

/// gRPC allows eight digits.
const MOST_DIGITS: u64 = 99_999_999;

pub struct Timeout(Duration);

impl Timeout {
    pub fn of(most: Duration) -> Timeout {
        Timeout(most)
    }
}

impl Concern for Timeout {
    fn name(&self) -> &'static str {
        "timeout"
    }

    fn admit(&self, cx: &mut Cx, head: &mut request::Parts) -> Admit {
        let mut at = cx.start.saturating_add(nanoseconds(self.0));
        if let Some(deadline) = cx.deadline {
            at = at.min(deadline);
        }
        if cx.protocol == Protocol::Grpc {
            // At a client, what the code that calls has asked for this one call.
            let allowed = head.headers.get(&GRPC_TIMEOUT).and_then(|value| parse(value.as_bytes()));
            if let Some(allowed) = allowed {
                at = at.min(cx.start.saturating_add(nanoseconds(allowed)));
            }
        }
        cx.deadline = Some(at);
        // Nothing starts that has no time to end.
        if at <= cx.start { Refusal::LATE.into() } else { Admit::Go }
    }
}

/// Tells the server of an attempt how much time is left now: the second attempt has less than the first, and so has one
/// that waited for an address.
pub struct Left;

impl Concern for Left {
    fn name(&self) -> &'static str {
        "deadline"
    }

    fn admit(&self, cx: &mut Cx, head: &mut request::Parts) -> Admit {
        let Some(deadline) = cx.deadline else { return Admit::Go };
        match deadline.saturating_sub(cx.start) / 1000 {
            0 => Refusal::LATE.into(),
            left => {
                head.headers.insert(GRPC_TIMEOUT, header::value(&render(left)));
                Admit::Go
            }
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Microseconds, or seconds where they have too many digits.
fn render(microseconds: u64) -> Vec<u8> {
    if microseconds <= MOST_DIGITS {
        format!("{microseconds}u").into_bytes()
    } else {
        format!("{}S", (microseconds / 1_000_000).min(MOST_DIGITS)).into_bytes()
    }
}

fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(match unit {
        b'n' => Duration::from_nanos(count),
        b'u' => Duration::from_micros(count),
        b'm' => Duration::from_millis(count),
        b'S' => Duration::from_secs(count),
        b'M' => Duration::from_secs(count * 60),
        b'H' => Duration::from_secs(count * 3600),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_timeout_is_ignored() {
        for bad in ["", "S", "1", "-1S", "1s", "123456789S", "1.5S", "+1S"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse(b"99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
    }

    proptest! {
        #[test]
        fn a_hop_never_gets_more_than_is_left(microseconds: u64) {
            let got = parse(&render(microseconds)).unwrap();
            prop_assert!(got <= Duration::from_micros(microseconds));
            if microseconds <= MOST_DIGITS {
                prop_assert_eq!(got, Duration::from_micros(microseconds));
            }
        }
    }
}
