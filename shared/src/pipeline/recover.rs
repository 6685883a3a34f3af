//! Recover: a panic is a 500 or INTERNAL, logged with its place; the process lives.

use std::sync::Once;

use super::ambient;
use super::{Concern, Cx, End, Outcome};
use crate::lifecycle::panic_text;
use crate::telemetry::metrics;

/// Its presence makes the future catch panics; it counts them.
pub struct Recover {
    service: &'static str,
}

impl Recover {
    pub fn of(service: &'static str) -> Recover {
        static HOOK: Once = Once::new();
        HOOK.call_once(log_panics_of_requests);
        Recover { service }
    }
}

impl Concern for Recover {
    fn name(&self) -> &'static str {
        "recover"
    }

    fn catches_panics(&self) -> bool {
        true
    }

    fn done(&self, _: &mut Cx, outcome: &Outcome) {
        if outcome.end == End::Panicked {
            metrics::panicked(self.service);
        }
    }
}

/// The hook runs where the panic is, so the place is known and the request still surrounds it. Other panics are told as
/// before.
fn log_panics_of_requests() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if ambient::current().is_none() {
            return before(panic);
        }
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, cause = panic_text(panic.payload()), "panicked");
    }));
}
