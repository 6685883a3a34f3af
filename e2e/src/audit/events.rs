//! Events: one for each move, sent in order, and each that was sent had its effect once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shared::clock;

use super::books::{Books, Line, Move, Order, Sent};
use super::{Broken, note};

/// Sent rows are forgotten after this, by default.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn examine(books: &Books, found: &mut Vec<Broken>) {
    let mut by_move: BTreeMap<(&str, i64), &Sent> = BTreeMap::new();
    for sent in &books.outbox {
        by_move.insert((&sent.key, sent.seq), sent);
        if books.rests(&sent.key) && !books.inbox.contains(&sent.id) {
            let line =
                format!("event {} of order {} was sent, and product-rpc has not seen it", sent.id, sent.key);
            note(found, "event.inbox", line);
        }
    }
    order_kept(books, found);
    for (id, order) in &books.orders {
        for one in &order.moves {
            match by_move.remove(&(id, one.seq)) {
                Some(sent) => told(sent, id, order, one, found),
                None if one.at < clock::wall_ms() - KEPT.as_millis() as i64 => {}
                None => note(found, "event.missing", format!("order {id}: move {} has no event", one.seq)),
            }
        }
    }
    for ((key, seq), sent) in by_move {
        note(
            found,
            "event.orphan",
            format!("event {} tells of move {seq} of order {key}, which was never made", sent.id),
        );
    }
    for letter in &books.dead_letters {
        let line =
            format!("event {} is a dead letter of {}: {}", letter.event_id, letter.consumer, letter.reason);
        note(found, "event.dead", line);
    }
}

/// The event says what the move and its order say.
fn told(sent: &Sent, id: &str, order: &Order, one: &Move, found: &mut Vec<Broken>) {
    let event: Value = serde_json::from_str(&sent.event).unwrap_or_default();
    let data = &event["data"];
    let line = |line: &Line| json!({"product_id": line.product_id, "quantity": line.quantity});
    let fits = event["id"] == sent.id.as_str()
        && event["type"] == format!("order.{}", one.to)
        && event["subject"] == id
        && event["sequence"] == one.seq
        && data["order_id"] == id
        && data["user_id"] == order.user_id.as_str()
        && data["seq"] == one.seq
        && data["from"] == one.from.as_str()
        && data["to"] == one.to.as_str()
        && data["lines"] == order.lines.iter().map(line).collect::<Value>()
        && data["total"] == json!({"amount": order.amount, "currency": order.currency});
    if !fits {
        let (from, to, seq) = (&one.from, &one.to, one.seq);
        let line = format!(
            "event {} does not tell that order {id} went from {from:?} to {to:?} by move {seq}",
            sent.id
        );
        note(found, "event.content", line);
    }
}

/// Of one order nothing is sent before what came earlier.
fn order_kept(books: &Books, found: &mut Vec<Broken>) {
    for pair in books.outbox.windows(2) {
        let [earlier, later] = pair else { continue };
        let overtakes = later.sent_at > 0 && (earlier.sent_at == 0 || earlier.sent_at > later.sent_at);
        if earlier.key == later.key && overtakes {
            let line =
                format!("order {}: event {} was sent before event {}", later.key, later.seq, earlier.seq);
            note(found, "event.order", line);
        }
    }
}
