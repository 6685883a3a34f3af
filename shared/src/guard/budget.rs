//! How many retries a client may make: a share of its calls, so that retries never double the load of a backend that is
//! going down.

use std::sync::atomic::{AtomicI64, Ordering};

/// Each call earns a tenth of a retry, up to `MOST` of them; each retry costs a whole one.
const EARNED: i64 = 100;
const COST: i64 = 1000;
const MOST: i64 = 10 * COST;

#[derive(Debug)]
pub struct RetryBudget(AtomicI64);

impl Default for RetryBudget {
    /// Full, so that a client's first calls may be retried.
    fn default() -> RetryBudget {
        RetryBudget(AtomicI64::new(MOST))
    }
}

impl RetryBudget {
    pub fn called(&self) {
        let add = |had: i64| Some((had + EARNED).min(MOST));
        // Always `Ok`: the closure never declines.
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok();
    }

    /// Takes a retry out of the budget, if there is one.
    pub fn withdraw(&self) -> bool {
        let take = |had: i64| (had >= COST).then_some(had - COST);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn retries_are_at_most_a_tenth_of_the_calls_and_the_first_ten(calls in prop::collection::vec(any::<bool>(), 0..2000)) {
            let budget = RetryBudget::default();
            let mut retries = 0;
            for wants in &calls {
                budget.called();
                if *wants && budget.withdraw() {
                    retries += 1;
                }
            }
            prop_assert!(retries <= calls.len() / 10 + 10);
        }

        #[test]
        fn a_steady_caller_gets_its_tenth(tens in 1_usize..100) {
            let budget = RetryBudget::default();
            while budget.withdraw() {}
            for _ in 0..tens {
                (0..10).for_each(|_| budget.called());
                prop_assert!(budget.withdraw());
            }
        }
    }
}
