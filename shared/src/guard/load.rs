//! How loaded an endpoint is: Peak-EWMA of its latency times the calls in flight. A rise is believed at once, a fall
//! slowly (`Finagle`'s rule). A call that failed is charged at least a second, so that a node that fails fast does not
//! look fast.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// After this long the average has forgotten all but a third of what was.
const DECAY_NS: f64 = 10e9;
const PENALTY_NS: u64 = 1_000_000_000;

/// Nothing here takes a lock; two updates at once may lose one of them, which an average survives.
#[derive(Debug, Default)]
pub struct Load {
    /// The bits of an `f64`: nanoseconds.
    average: AtomicU64,
    updated: AtomicU64,
    in_flight: AtomicU32,
}

impl Load {
    /// `average` in nanoseconds: for a newcomer, the median of its peers.
    pub fn new(average: f64, now: u64) -> Load {
        Load {
            average: AtomicU64::new(average.to_bits()),
            updated: AtomicU64::new(now),
            in_flight: AtomicU32::new(0),
        }
    }

    /// What the balancer compares. Grows with latency and with calls in flight.
    pub fn cost(&self, now: u64) -> f64 {
        let waiting = f64::from(self.in_flight.load(Ordering::Relaxed));
        // The average of an idle endpoint fades, so that it is tried again.
        (self.average_at(now) + 1.0) * (waiting + 1.0)
    }

    pub fn average(&self) -> f64 {
        f64::from_bits(self.average.load(Ordering::Relaxed))
    }

    fn average_at(&self, now: u64) -> f64 {
        let idle = now.saturating_sub(self.updated.load(Ordering::Relaxed));
        self.average() * (-(idle as f64) / DECAY_NS).exp()
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends what [`begin`](Self::begin) began. `took` is `None` where it says nothing of the endpoint, as when the caller went away.
    pub fn end(&self, now: u64, took: Option<u64>, failed: bool) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let Some(took) = took else { return };
        let took = if failed { took.max(PENALTY_NS) } else { took } as f64;
        let idle = now.saturating_sub(self.updated.swap(now, Ordering::Relaxed));
        let before = self.average();
        let average = if took >= before {
            took
        } else {
            let kept = (-(idle as f64) / DECAY_NS).exp();
            before * kept + took * (1.0 - kept)
        };
        self.average.store(average.to_bits(), Ordering::Relaxed);
    }
}

/// Of two endpoints the one with the lower cost; the first where they are equal.
pub fn lighter<'a, T>(a: &'a T, b: &'a T, now: u64, load: impl Fn(&T) -> &Load) -> &'a T {
    if load(b).cost(now) < load(a).cost(now) { b } else { a }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_rise_is_believed_at_once_and_a_fall_slowly() {
        let load = Load::new(0.0, 0);
        load.begin();
        load.end(MS, Some(100 * MS), false);
        assert_eq!(load.average(), 100e6);
        load.begin();
        load.end(2 * MS, Some(MS), false);
        assert!(load.average() > 99e6);
        load.begin();
        load.end(2 * MS + 30_000 * MS, Some(MS), false);
        assert!(load.average() < 7e6);
    }

    #[test]
    fn failing_fast_does_not_look_fast() {
        let (good, bad) = (Load::new(0.0, 0), Load::new(0.0, 0));
        good.begin();
        good.end(MS, Some(20 * MS), false);
        bad.begin();
        bad.end(MS, Some(1), true);
        assert!(std::ptr::eq(lighter(&bad, &good, 2 * MS, |load| load), &good));
    }

    proptest! {
        #[test]
        fn the_average_stays_between_what_was_seen(took in prop::collection::vec(1_u64..10_000 * MS, 1..50)) {
            let load = Load::new(0.0, 0);
            let mut now = 0;
            for took in &took {
                now += took;
                load.begin();
                load.end(now, Some(*took), false);
            }
            let most = *took.iter().max().unwrap() as f64;
            prop_assert!(load.average() > 0.0 && load.average() <= most);
            prop_assert_eq!(load.in_flight(), 0);
        }
    }
}
