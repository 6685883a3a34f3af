//! What a shop wants to know of its stock, beside the framework's metrics: this screen is the list. Handles are made at
//! the start, once for the service.

use metrics::{Counter, counter, describe_counter};
use shared::error::{Error, Result};

const RESERVATIONS: &str = "reservations_total";

/// What became of calls and holds.
pub(crate) struct Metrics {
    held: Counter,
    pinned: Counter,
    out_of_stock: Counter,
    released: Counter,
    expired: Counter,
}

impl Metrics {
    pub(crate) fn of(service: &'static str) -> Metrics {
        describe_counter!(
            RESERVATIONS,
            "Reservations by service and result: calls that are answered held, pinned, out_of_stock or released, and \
             holds that expired"
        );
        let of = |result: &'static str| counter!(RESERVATIONS, "service" => service, "result" => result);
        Metrics {
            held: of("held"),
            pinned: of("pinned"),
            out_of_stock: of("out_of_stock"),
            released: of("released"),
            expired: of("expired"),
        }
    }

    pub(crate) fn reserved<T>(&self, answer: &Result<T>) {
        self.count(answer, &self.held);
    }

    pub(crate) fn pinned<T>(&self, answer: &Result<T>) {
        self.count(answer, &self.pinned);
    }

    pub(crate) fn released(&self) {
        self.released.increment(1);
    }

    pub(crate) fn expired(&self) {
        self.expired.increment(1);
    }

    fn count<T>(&self, answer: &Result<T>, well: &Counter) {
        match answer.as_ref().map_err(Error::reason) {
            Ok(_) => well.increment(1),
            Err("out_of_stock") => self.out_of_stock.increment(1),
            Err(_) => {}
        }
    }
}
