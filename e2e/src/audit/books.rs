//! What the databases hold, as the audit reads it: rows, and the relations that several invariants need.

use std::collections::{BTreeMap, BTreeSet};

use super::Counted;

#[derive(Default)]
pub(super) struct Books {
    pub(super) users: BTreeMap<String, User>,
    pub(super) tokens: Vec<Token>,
    pub(super) products: BTreeMap<String, Product>,
    pub(super) stock_moves: Vec<StockMove>,
    pub(super) reservations: BTreeMap<String, Reservation>,
    pub(super) inbox: BTreeSet<String>,
    pub(super) dead_letters: Vec<DeadLetter>,
    pub(super) orders: BTreeMap<String, Order>,
    pub(super) outbox: Vec<Sent>,
    /// By their order, the oldest first.
    pub(super) payments: BTreeMap<String, Vec<Payment>>,
    pub(super) order_keys: Vec<Key>,
    pub(super) product_keys: Vec<Key>,
    pub(super) charges: BTreeMap<String, Charge>,
    /// Orders that did not move while the other databases were read: what those say of them is of the same moment.
    pub(super) resting: BTreeSet<String>,
}

/// No `Debug`: what is to be no secret may be one.
pub(super) struct User {
    pub(super) password_hash: String,
}

/// A row of refresh tokens.
pub(super) struct Token {
    pub(super) hash: String,
    pub(super) family: String,
    /// Neither spent nor revoked.
    pub(super) is_good: bool,
}

#[derive(Debug)]
pub(super) struct Product {
    pub(super) on_hand: i64,
    pub(super) reserved: i64,
}

#[derive(Debug)]
pub(super) struct StockMove {
    pub(super) product_id: String,
    pub(super) delta: i64,
    /// An order's id, or an adjustment's.
    pub(super) cause: String,
}

#[derive(Debug)]
pub(super) struct Reservation {
    pub(super) status: String,
    pub(super) expires_at: i64,
    /// Quantity by product.
    pub(super) lines: BTreeMap<String, i64>,
}

impl Reservation {
    /// Whether its lines count as reserved.
    pub(super) fn holds(&self) -> bool {
        matches!(self.status.as_str(), "held" | "pinned")
    }
}

#[derive(Debug)]
pub(super) struct DeadLetter {
    pub(super) consumer: String,
    pub(super) event_id: String,
    pub(super) reason: String,
}

#[derive(Debug)]
pub(super) struct Order {
    pub(super) user_id: String,
    pub(super) status: String,
    pub(super) seq: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) expires_at: i64,
    pub(super) lines: Vec<Line>,
    /// By `seq`.
    pub(super) moves: Vec<Move>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) product_id: String,
    pub(super) quantity: i64,
    pub(super) unit_price: i64,
}

#[derive(Debug)]
pub(super) struct Move {
    pub(super) seq: i64,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) at: i64,
}

/// A row of the outbox.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) seq: i64,
    /// The CloudEvent.
    pub(super) event: String,
    /// 0 where it is not sent yet.
    pub(super) sent_at: i64,
}

#[derive(Debug)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: String,
}

impl Payment {
    /// Whether the customer's money was taken, given back or not.
    pub(super) fn was_charged(&self) -> bool {
        matches!(self.status.as_str(), "succeeded" | "refund_pending" | "refunded")
    }

    /// Whether something is still to be heard from the provider.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "pending" | "refund_pending")
    }
}

/// A row of idempotency keys.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) scope: String,
    pub(super) key: String,
    pub(super) subject: String,
    pub(super) claimed_until: i64,
    pub(super) is_answered: bool,
}

/// What the provider knows.
#[derive(Debug)]
pub(super) struct Charge {
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    /// The order that it is for.
    pub(super) reference: String,
}

impl Charge {
    pub(super) fn took_money(&self) -> bool {
        matches!(self.status.as_str(), "succeeded" | "refunded")
    }
}

impl Books {
    pub(super) fn rests(&self, order_id: &str) -> bool {
        self.resting.contains(order_id)
    }

    /// Orders of which nothing is on its way, with their versions.
    pub(super) fn at_rest(&self) -> BTreeMap<String, i64> {
        let mut moving: BTreeSet<&str> =
            self.outbox.iter().filter(|sent| sent.sent_at == 0).map(|sent| sent.key.as_str()).collect();
        let open = |payments: &Vec<Payment>| payments.iter().any(Payment::is_open);
        moving.extend(self.payments.iter().filter(|(_, of)| open(of)).map(|(order_id, _)| order_id.as_str()));
        let rest = |(id, order): (&String, &Order)| {
            let rests = order.status != "paying" && !moving.contains(id.as_str());
            rests.then(|| (id.clone(), order.seq))
        };
        self.orders.iter().filter_map(rest).collect()
    }

    pub(super) fn payments_of(&self, order_id: &str) -> &[Payment] {
        self.payments.get(order_id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn counted(&self) -> Counted {
        Counted {
            users: self.users.len(),
            products: self.products.len(),
            reservations: self.reservations.len(),
            orders: self.orders.len(),
            payments: self.payments.values().map(Vec::len).sum(),
            charges: self.charges.len(),
            events: self.outbox.len(),
        }
    }
}
