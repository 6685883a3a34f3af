//! The states of an order, and the moves between them: all that is legal stands in [`MOVES`].

use std::fmt;

use shared::error::{Code, Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Its stock is reserved until `expires_at`.
    PendingPayment,
    /// A payment is under way, or its outcome is not known yet.
    Paying,
    Paid,
    Shipped,
    Delivered,
    /// By its customer, before it was paid.
    Cancelled,
    /// Nobody paid in time.
    Expired,
    /// The money goes back; the payment tells whether it has arrived.
    Refunded,
}

pub(crate) const NAMES: [(Status, &str); 8] = [
    (Status::PendingPayment, "pending_payment"),
    (Status::Paying, "paying"),
    (Status::Paid, "paid"),
    (Status::Shipped, "shipped"),
    (Status::Delivered, "delivered"),
    (Status::Cancelled, "cancelled"),
    (Status::Expired, "expired"),
    (Status::Refunded, "refunded"),
];

const MOVES: [(Status, Status); 10] = [
    (Status::PendingPayment, Status::Paying),
    (Status::PendingPayment, Status::Cancelled),
    (Status::PendingPayment, Status::Expired),
    (Status::Paying, Status::Paid),
    // Declined, or never charged.
    (Status::Paying, Status::PendingPayment),
    (Status::Paid, Status::Shipped),
    (Status::Paid, Status::Refunded),
    (Status::Shipped, Status::Delivered),
    (Status::Shipped, Status::Refunded),
    (Status::Delivered, Status::Refunded),
];

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        NAMES[self as usize].1
    }

    pub(crate) fn parse(name: &str) -> Option<Status> {
        NAMES.iter().find(|known| known.1 == name).map(|known| known.0)
    }

    /// Refused with `state` where `to` may not follow.
    pub(crate) fn check(self, to: Status) -> Result<()> {
        if MOVES.contains(&(self, to)) { Ok(()) } else { Err(self.refuses(to)) }
    }

    pub(crate) fn refuses(self, to: Status) -> Error {
        let detail = format!("an order that is {self} cannot become {to}");
        Error::new(Code::Conflict, "illegal_transition", detail).with("state", self.as_str())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_the_states() {
        for (index, (status, name)) in NAMES.into_iter().enumerate() {
            assert_eq!((status as usize, Status::parse(name)), (index, Some(status)));
        }
        assert_eq!(Status::parse("lost"), None);
    }

    #[test]
    fn an_illegal_move_names_the_present_state() {
        assert!(Status::Paid.check(Status::Shipped).is_ok());
        let refused = Status::Shipped.check(Status::Cancelled).unwrap_err();
        assert_eq!((refused.code(), refused.reason()), (Code::Conflict, "illegal_transition"));
        assert_eq!(refused.extra("state").unwrap(), "shipped");
        assert_eq!(refused.message(), "an order that is shipped cannot become cancelled");
    }

    #[test]
    fn what_has_ended_stays() {
        for (from, _) in NAMES {
            let is_end = matches!(from, Status::Cancelled | Status::Expired | Status::Refunded);
            assert_eq!(is_end, NAMES.iter().all(|(to, _)| from.check(*to).is_err()), "{from}");
            assert!(from.check(from).is_err(), "{from}");
        }
    }
}
