//! Idempotency keys: whoever ordered did it under a key of theirs, which has its answer; and a key that adjusted stock did
//! it once.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::clock;

use super::books::{Books, Key};
use super::{Broken, note};

/// Keys are forgotten after this, by default.
const KEPT: Duration = Duration::from_secs(24 * 3600);

pub(super) fn examine(books: &Books, found: &mut Vec<Broken>) {
    let by_subject: BTreeMap<&str, &Key> =
        books.order_keys.iter().map(|key| (key.subject.as_str(), key)).collect();
    let forgotten = clock::wall_ms() - KEPT.as_millis() as i64;
    for (id, order) in &books.orders {
        let made = order.moves.first().map_or(0, |first| first.at);
        match by_subject.get(id.as_str()) {
            Some(key) => {
                if !key.is_answered {
                    let line = format!("order {id} was made, and its key {} has no answer", key.key);
                    note(found, "key.answer", line);
                }
                owner(key, &order.user_id, "place_order", found);
            }
            None if made < forgotten => {}
            None => note(found, "key.missing", format!("order {id} was made under no key")),
        }
        for payment in books.payments_of(id) {
            if let Some(key) = by_subject.get(payment.id.as_str()) {
                owner(key, &order.user_id, "pay_order", found);
            }
        }
    }
    for key in books.product_keys.iter().filter(|key| key.is_answered) {
        let moves = books.stock_moves.iter().filter(|one| one.cause == key.subject).count();
        if moves != 1 {
            note(
                found,
                "key.effect",
                format!("key {} of {} adjusted stock {moves} times", key.key, key.scope),
            );
        }
    }
}

fn owner(key: &Key, user_id: &str, route: &str, found: &mut Vec<Broken>) {
    if key.scope != format!("{user_id}:{route}") {
        let line = format!("key {} of {} made something of {user_id}:{route}", key.key, key.scope);
        note(found, "key.owner", line);
    }
}
