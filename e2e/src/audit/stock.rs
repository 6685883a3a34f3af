//! Stock: what is on hand is the sum of its moves, what is reserved the sum of its holds.

use std::collections::BTreeMap;

use super::books::Books;
use super::{Broken, note};

pub(super) fn examine(books: &Books, found: &mut Vec<Broken>) {
    let (mut moved, mut held) = (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, i64>::new());
    for one in &books.stock_moves {
        *moved.entry(&one.product_id).or_default() += one.delta;
    }
    for reservation in books.reservations.values().filter(|reservation| reservation.holds()) {
        for (product_id, quantity) in &reservation.lines {
            *held.entry(product_id).or_default() += quantity;
        }
    }
    for (id, product) in &books.products {
        let (on_hand, reserved) = (product.on_hand, product.reserved);
        let moved = moved.remove(id.as_str()).unwrap_or_default();
        if on_hand != moved {
            note(
                found,
                "stock.on_hand",
                format!("product {id}: on_hand is {on_hand}, its moves add up to {moved}"),
            );
        }
        let held = held.remove(id.as_str()).unwrap_or_default();
        if reserved != held {
            let line =
                format!("product {id}: reserved is {reserved}, its held and pinned lines add up to {held}");
            note(found, "stock.reserved", line);
        }
        if !(0..=on_hand).contains(&reserved) {
            note(found, "stock.bounds", format!("product {id}: reserved is {reserved} of {on_hand} on hand"));
        }
    }
    for (id, _) in moved.into_iter().chain(held) {
        note(found, "stock.product", format!("product {id} has moves or holds, and does not exist"));
    }
}
