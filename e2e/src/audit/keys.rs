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
            Some(key) if !key.is_answered => {
                note(
                    found,
                    "key.answer",
                    format!("order {id} was made, and its key {} has no answer", key.key),
                );
            }
            Some(key) if !key.scope.starts_with(&format!("{}:", order.user_id)) => {
                let line = format!("order {id} of {} was made under a key of {}", order.user_id, key.scope);
                note(found, "key.owner", line);
            }
            Some(_) => {}
            None if made < forgotten => {}
            None => note(found, "key.missing", format!("order {id} was made under no key")),
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
