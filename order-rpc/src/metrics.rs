//! What a shop wants to know of its orders, beside the framework's metrics: this screen is the list. Handles are made at
//! the start, once for the service.

use metrics::{Counter, counter, describe_counter};

use crate::status::{NAMES, Status};

const MOVES: &str = "order_moves_total";

pub(crate) struct Metrics {
    /// In the order of the states.
    moves: Vec<Counter>,
}

impl Metrics {
    pub(crate) fn of(service: &'static str) -> Metrics {
        describe_counter!(MOVES, "Moves of orders by service and new status");
        let of = |(_, to)| counter!(MOVES, "service" => service, "to" => to);
        Metrics { moves: NAMES.into_iter().map(of).collect() }
    }

    /// After the commit: what is rolled back was no move.
    pub(crate) fn moved(&self, to: Status) {
        self.moves[to as usize].increment(1);
    }
}
