//! The concern that tests put into a list to hear how its requests ended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use shared::pipeline::{Concern, Cx, End, Outcome};
use shared::testing::eventually;

const SOON: Duration = Duration::from_secs(10);

/// Writes down how each request ended.
#[derive(Clone, Default)]
pub(crate) struct Spy(Arc<Mutex<Vec<(End, u16)>>>);

impl Concern for Spy {
    fn name(&self) -> &'static str {
        "spy"
    }

    fn done(&self, _: &mut Cx, outcome: &Outcome) {
        self.0.lock().unwrap().push((outcome.end, outcome.code));
    }
}

impl Spy {
    /// How a request ended, once one has.
    pub(crate) async fn next(&self) -> (End, u16) {
        eventually(SOON, async || self.0.lock().unwrap().pop()).await
    }

    /// How all ended so far.
    pub(crate) fn take(&self) -> Vec<(End, u16)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
