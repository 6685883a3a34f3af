//! Money: what our payments say, what their orders say, and what the provider says are one story, and nobody paid twice.

use std::collections::BTreeSet;

use super::books::{Books, Charge, Order, Payment};
use super::{Broken, note};

pub(super) fn examine(books: &Books, found: &mut Vec<Broken>) {
    for (id, order) in &books.orders {
        let payments = books.payments_of(id);
        once(id, payments, books, found);
        status(id, order, payments, found);
        for payment in payments {
            if (payment.amount, &payment.currency) != (order.amount, &order.currency) {
                let line = format!(
                    "payment {} is {} {}, its order {id} is {} {}",
                    payment.id, payment.amount, payment.currency, order.amount, order.currency
                );
                note(found, "payment.amount", line);
            }
            if let Some(charge) = books.charges.get(&payment.id)
                && charge.took_money()
                && charge.reference != *id
            {
                let line = format!("charge {} is for {}, its payment for {id}", payment.id, charge.reference);
                note(found, "charge.reference", line);
            }
            if books.rests(id) {
                charged(payment, books.charges.get(&payment.id), found);
            }
        }
    }
    for id in books.payments.keys().filter(|id| !books.orders.contains_key(*id)) {
        note(found, "payment.orphan", format!("order {id} has payments, and does not exist"));
    }
    let known: BTreeSet<&str> =
        books.payments.values().flatten().map(|payment| payment.id.as_str()).collect();
    for (id, charge) in &books.charges {
        if charge.took_money() && !known.contains(id.as_str()) {
            let line = format!("charge {id} of {} {} belongs to no payment", charge.amount, charge.currency);
            note(found, "charge.orphan", line);
        }
    }
}

/// Nobody pays twice for one order, in our book or the provider's.
fn once(id: &str, payments: &[Payment], books: &Books, found: &mut Vec<Broken>) {
    let ours = payments.iter().filter(|payment| payment.was_charged()).count();
    let theirs = payments
        .iter()
        .filter(|payment| books.charges.get(&payment.id).is_some_and(Charge::took_money))
        .count();
    if ours > 1 || theirs > 1 {
        note(
            found,
            "payment.twice",
            format!("order {id}: {ours} payments succeeded, the provider charged {theirs}"),
        );
    }
}

/// An order's status and those of its payments change in one transaction.
fn status(id: &str, order: &Order, payments: &[Payment], found: &mut Vec<Broken>) {
    let allowed: &[&str] = match order.status.as_str() {
        "paying" => &["pending"],
        "paid" | "shipped" | "delivered" => &["succeeded"],
        "refunded" => &["refund_pending", "refunded"],
        _ => &[],
    };
    let live: Vec<&str> = payments
        .iter()
        .map(|payment| payment.status.as_str())
        .filter(|status| !matches!(*status, "declined" | "void"))
        .collect();
    let fits = match live.as_slice() {
        [] => allowed.is_empty(),
        [one] => allowed.contains(one),
        _ => false,
    };
    if !fits {
        let line =
            format!("order {id} is {}, its payments are {live:?} beside those that failed", order.status);
        note(found, "payment.status", line);
    }
}

/// A payment that is decided, against the provider's book.
fn charged(payment: &Payment, charge: Option<&Charge>, found: &mut Vec<Broken>) {
    let theirs = charge.map_or("unknown", |charge| charge.status.as_str());
    let fits = match payment.status.as_str() {
        "succeeded" => theirs == "succeeded",
        "refunded" => theirs == "refunded",
        "declined" => theirs == "declined",
        // One that the provider does not know may still reach it.
        "void" => theirs == "voided",
        _ => true,
    };
    if !fits {
        let line = format!("payment {} is {}, the provider says {theirs}", payment.id, payment.status);
        note(found, "charge.status", line);
    }
    if let Some(charge) = charge
        && charge.took_money()
        && (charge.amount, &charge.currency) != (payment.amount, &payment.currency)
    {
        let line = format!(
            "payment {} is {} {}, the provider took {} {}",
            payment.id, payment.amount, payment.currency, charge.amount, charge.currency
        );
        note(found, "charge.amount", line);
    }
}
