//! Reservations: each order's says what the order's status says, holds the order's lines, and moved the stock it took.

use std::collections::BTreeMap;

use super::books::{Books, Order, Reservation};
use super::{Broken, note};

pub(super) fn examine(books: &Books, found: &mut Vec<Broken>) {
    for (id, order) in books.orders.iter().filter(|(id, _)| books.rests(id)) {
        let Some(reservation) = books.reservations.get(id) else {
            note(found, "reservation.missing", format!("order {id} ({}) has no reservation", order.status));
            continue;
        };
        lines(id, order, reservation, found);
        status(id, order, reservation, found);
        // Else the stock could be sold to another while this order may still be paid.
        if order.status == "pending_payment"
            && reservation.status == "held"
            && reservation.expires_at <= order.expires_at
        {
            let (hold, end) = (reservation.expires_at, order.expires_at);
            note(found, "reservation.expiry", format!("order {id} lives until {end}, its hold until {hold}"));
        }
    }
    for (id, reservation) in &books.reservations {
        // A crash between the two services leaves a hold that ends by itself.
        if !books.orders.contains_key(id)
            && !matches!(reservation.status.as_str(), "held" | "expired" | "released")
        {
            let status = &reservation.status;
            note(
                found,
                "reservation.orphan",
                format!("reservation {id} is {status}, and there is no such order"),
            );
        }
    }
    moves(books, found);
}

fn lines(id: &str, order: &Order, reservation: &Reservation, found: &mut Vec<Broken>) {
    let mut ordered = BTreeMap::<String, i64>::new();
    for line in &order.lines {
        *ordered.entry(line.product_id.clone()).or_default() += line.quantity;
    }
    if ordered != reservation.lines {
        let line = format!("order {id}: ordered {ordered:?}, reserved {:?}", reservation.lines);
        note(found, "reservation.lines", line);
    }
}

fn status(id: &str, order: &Order, reservation: &Reservation, found: &mut Vec<Broken>) {
    let fits = expected(order);
    if !fits.contains(&reservation.status.as_str()) {
        let line = format!(
            "order {id} is {}, so its reservation should be {}, and is {}",
            order.status,
            fits.join(" or "),
            reservation.status
        );
        note(found, "reservation.status", line);
    }
}

fn expected(order: &Order) -> &'static [&'static str] {
    match order.status.as_str() {
        "pending_payment" => &["held", "pinned"],
        "paying" => &["pinned"],
        "paid" | "shipped" | "delivered" => &["taken"],
        "cancelled" | "expired" => &["released", "expired"],
        "refunded" => match order.moves.last().map(|last| last.from.as_str()) {
            // What had left the house does not come back by itself.
            Some("shipped" | "delivered") => &["taken"],
            _ => &["returned"],
        },
        _ => &[],
    }
}

/// What left the stock for an order is what its reservation took.
fn moves(books: &Books, found: &mut Vec<Broken>) {
    let mut moved = BTreeMap::<(&str, &str), i64>::new();
    for one in books.stock_moves.iter().filter(|one| books.reservations.contains_key(&one.cause)) {
        *moved.entry((&one.cause, &one.product_id)).or_default() += one.delta;
    }
    for (id, reservation) in &books.reservations {
        for (product_id, quantity) in &reservation.lines {
            let should = if reservation.status == "taken" { -quantity } else { 0 };
            let did = moved.remove(&(id, product_id)).unwrap_or_default();
            if did != should {
                let status = &reservation.status;
                let line = format!(
                    "reservation {id} is {status}: of {product_id} {did} moved, and {should} should have"
                );
                note(found, "reservation.moves", line);
            }
        }
    }
    for ((id, product_id), did) in moved {
        note(
            found,
            "reservation.moves",
            format!("reservation {id} has no line of {product_id}, and {did} moved"),
        );
    }
}
