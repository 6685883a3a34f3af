//! Trace ids as W3C Trace Context has them, and spans as plain records. Turning records into an exporter's data is a
//! background task's work, never a request's.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Of 2^32 new traces, how many are sampled.
static SAMPLED: AtomicU64 = AtomicU64::new(1 << 32);

/// Sets the share of new traces that are sampled, 0.0 to 1.0, for the whole process. A trace that was begun elsewhere
/// keeps the choice that was made there.
pub fn sample(share: f64) {
    SAMPLED.store((share.clamp(0.0, 1.0) * (1_u64 << 32) as f64) as u64, Ordering::Relaxed);
}

/// Which trace a piece of work belongs to, and its place in it. All zero means: none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ids {
    pub trace: u128,
    pub span: u64,
    /// The span that caused this one; 0 at the root.
    pub parent: u64,
    pub sampled: bool,
}

impl Ids {
    /// The root of a new trace.
    pub fn root() -> Ids {
        let sampled = u64::from(fastrand::u32(..)) < SAMPLED.load(Ordering::Relaxed);
        Ids { trace: fastrand::u128(1..), span: fastrand::u64(1..), parent: 0, sampled }
    }

    /// A span that this one causes.
    pub fn child(self) -> Ids {
        Ids { span: fastrand::u64(1..), parent: self.span, ..self }
    }

    /// A span that the sender of this `traceparent` causes here. `None` for what is not one: the trace starts anew.
    pub fn continued(traceparent: &[u8]) -> Option<Ids> {
        Some(Ids::parse(traceparent)?.child())
    }

    /// The sender's own ids, out of `00-<32 hex>-<16 hex>-<2 hex>`.
    pub fn parse(traceparent: &[u8]) -> Option<Ids> {
        let (head, rest) = traceparent.split_at_checked(55)?;
        let &[a, b, b'-', ..] = head else { return None };
        let version = number(&[a, b])?;
        // A later version may append fields, version 0 must not.
        let whole = rest.is_empty() || (version > 0 && rest[0] == b'-');
        if version == 0xff || !whole || head[35] != b'-' || head[52] != b'-' {
            return None;
        }
        let trace = u128::from(number(&head[3..19])?) << 64 | u128::from(number(&head[19..35])?);
        let span = number(&head[36..52])?;
        let flags = number(&head[53..55])?;
        (trace != 0 && span != 0).then_some(Ids { trace, span, parent: 0, sampled: flags & 1 == 1 })
    }

    /// The `traceparent` that tells another process of this span.
    pub fn traceparent(self) -> [u8; 55] {
        let mut out = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut out[3..19], (self.trace >> 64) as u64);
        write_hex(&mut out[19..35], self.trace as u64);
        write_hex(&mut out[36..52], self.span);
        out[54] = b'0' + u8::from(self.sampled);
        out
    }

    /// The trace id as logs, answers and Jaeger show it.
    pub fn trace_hex(self) -> [u8; 32] {
        let mut out = [b'0'; 32];
        write_hex(&mut out[..16], (self.trace >> 64) as u64);
        write_hex(&mut out[16..], self.trace as u64);
        out
    }

    pub fn span_hex(self) -> [u8; 16] {
        let mut out = [b'0'; 16];
        write_hex(&mut out, self.span);
        out
    }
}

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.trace)
    }
}

/// Lower-case hex alone, as the specification demands; at most 16 digits. By a table, like [`write_hex`]: every request
/// has 52 digits read and 80 written.
fn number(digits: &[u8]) -> Option<u64> {
    const VALUES: [u8; 256] = {
        let mut values = [NONE; 256];
        let mut value = 0;
        while value < 16 {
            values[DIGITS[value] as usize] = value as u8;
            value += 1;
        }
        values
    };
    const NONE: u8 = 0xf0;
    let (mut number, mut seen) = (0, 0);
    for digit in digits {
        let value = VALUES[usize::from(*digit)];
        seen |= value;
        number = number << 4 | u64::from(value);
    }
    (seen & NONE == 0).then_some(number)
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The 16 digits of a number.
fn write_hex(out: &mut [u8], number: u64) {
    const PAIRS: [[u8; 2]; 256] = {
        let mut pairs = [[0; 2]; 256];
        let mut byte = 0;
        while byte < 256 {
            pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
            byte += 1;
        }
        pairs
    };
    for (pair, byte) in out.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&PAIRS[usize::from(byte)]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_traceparent_starts_a_new_trace() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(Ids::parse(good.as_bytes()).unwrap().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Ids::parse(bad.as_bytes()), None, "{bad}");
        }
        assert!(Ids::parse(b"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").is_some());
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read(trace in 1u128.., span in 1u64.., sampled: bool) {
            let ids = Ids { trace, span, parent: 0, sampled };
            prop_assert_eq!(Ids::parse(&ids.traceparent()), Some(ids));
            prop_assert_eq!(String::from_utf8(ids.trace_hex().to_vec()).unwrap(), format!("{trace:032x}"));
        }

        #[test]
        fn nothing_that_comes_in_panics(bytes: Vec<u8>) {
            let _ = Ids::parse(&bytes);
        }
    }
}
