//! What the tests of other crates use.

use std::time::Duration;

use tokio::time::Instant;

/// What `probe` finds, once it finds something: the way to wait for the world. Panics at the deadline, where it was called.
#[track_caller]
pub fn eventually<T>(
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        let end = Instant::now() + deadline;
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            assert!(Instant::now() < end, "{place}: not within {deadline:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
