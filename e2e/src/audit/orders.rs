//! Orders: totals that add up, and histories without a gap or an illegal step.

use super::books::{Books, Move, Order};
use super::{Broken, note};

/// From where to where an order may move. The first move comes from nowhere.
const LEGAL: [(&str, &str); 11] = [
    ("", "pending_payment"),
    ("pending_payment", "paying"),
    ("pending_payment", "cancelled"),
    ("pending_payment", "expired"),
    ("paying", "paid"),
    ("paying", "pending_payment"),
    ("paid", "shipped"),
    ("paid", "refunded"),
    ("shipped", "delivered"),
    ("shipped", "refunded"),
    ("delivered", "refunded"),
];

pub(super) fn examine(books: &Books, found: &mut Vec<Broken>) {
    for (id, order) in &books.orders {
        let sum: i64 = order.lines.iter().map(|line| line.quantity * line.unit_price).sum();
        if order.amount != sum || order.lines.is_empty() {
            let (amount, lines) = (order.amount, order.lines.len());
            note(
                found,
                "order.total",
                format!("order {id}: total is {amount}, its {lines} lines add up to {sum}"),
            );
        }
        if books.rests(id) && !books.users.contains_key(&order.user_id) {
            note(found, "order.user", format!("order {id} belongs to {}, who does not exist", order.user_id));
        }
        history(id, order, found);
        let early = |one: &&Move| one.to == "expired" && one.at < order.expires_at;
        if let Some(early) = order.moves.iter().find(early) {
            let line = format!("order {id} expired at {}, and had until {}", early.at, order.expires_at);
            note(found, "order.early", line);
        }
    }
}

fn history(id: &str, order: &Order, found: &mut Vec<Broken>) {
    let mut status = "";
    for (seq, one) in (1..).zip(&order.moves) {
        if one.seq != seq {
            let line = format!("order {id}: move {seq} is missing, the next one is {}", one.seq);
            note(found, "order.history", line);
            return;
        }
        if one.from != status || !LEGAL.contains(&(one.from.as_str(), one.to.as_str())) {
            let line =
                format!("order {id}: move {seq} goes from {:?} to {:?}, after {status:?}", one.from, one.to);
            note(found, "order.history", line);
        }
        status = &one.to;
    }
    let last = order.moves.len() as i64;
    if order.status != status || order.seq != last {
        let line = format!(
            "order {id} is {} at seq {}, and its history ends with {status:?} at {last}",
            order.status, order.seq
        );
        note(found, "order.status", line);
    }
}
