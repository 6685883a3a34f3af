//! What the services of these tests talk about.

use proto::order::v1::{Address, Cart, CartItem, Line, Move, OrderItem, OrderMoved, OrderView, Payment};
use proto::product::v1::Item;
use proto::v1::Money;
use serde_json::{Value, json};
use shared::queue::Event;

/// 2026-11-22T09:30:00.123Z.
pub(crate) const AT_MS: i64 = 1_795_339_800_123;
pub(crate) const AT: &str = "2026-11-22T09:30:00.123Z";
pub(crate) const ORDER: &str = "0199c0de-7000-7000-8000-0000000000aa";

pub(crate) fn euros(cents: i64) -> Option<Money> {
    Some(Money { amount: cents, currency: "EUR".to_owned() })
}

pub(crate) fn euros_json(cents: i64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
}

pub(crate) fn kettle() -> Item {
    Item {
        id: "enamel-kettle".to_owned(),
        name: "Enamel kettle".to_owned(),
        description: "It whistles.".to_owned(),
        category_id: "kitchen".to_owned(),
        price: euros(4900),
        image_url: "/pictures/enamel-kettle.svg".to_owned(),
        available: 12,
        version: 3,
        created_at_ms: AT_MS,
    }
}

pub(crate) fn kettle_json() -> Value {
    json!({
        "id": "enamel-kettle", "name": "Enamel kettle", "description": "It whistles.", "category_id": "kitchen",
        "price": euros_json(4900), "image_url": "/pictures/enamel-kettle.svg", "available": 12, "version": 3,
        "created_at": AT,
    })
}

pub(crate) fn cart() -> Cart {
    let item = CartItem {
        product_id: "enamel-kettle".to_owned(),
        name: "Enamel kettle".to_owned(),
        quantity: 2,
        unit_price: euros(4900),
        line_total: euros(9800),
        available: 12,
        image_url: "/pictures/enamel-kettle.svg".to_owned(),
    };
    Cart { items: vec![item], total: euros(9800) }
}

pub(crate) fn cart_json() -> Value {
    json!({
        "items": [{
            "product_id": "enamel-kettle", "name": "Enamel kettle", "quantity": 2, "unit_price": euros_json(4900),
            "line_total": euros_json(9800), "available": 12, "image_url": "/pictures/enamel-kettle.svg",
        }],
        "total": euros_json(9800),
    })
}

pub(crate) fn address_json() -> Value {
    json!({"name": "Ada", "line1": "Ring 1", "city": "Wien", "postal_code": "1010", "country": "AT"})
}

pub(crate) fn step(seq: i64, from: &str, to: &str) -> Move {
    Move { seq, from: from.to_owned(), to: to.to_owned(), at_ms: AT_MS + seq, reason: String::new() }
}

/// An order that nobody has tried to pay.
pub(crate) fn order() -> OrderView {
    let address = Address {
        name: "Ada".to_owned(),
        line1: "Ring 1".to_owned(),
        line2: None,
        city: "Wien".to_owned(),
        postal_code: "1010".to_owned(),
        country: "AT".to_owned(),
    };
    let item = OrderItem {
        product_id: "enamel-kettle".to_owned(),
        name: "Enamel kettle".to_owned(),
        quantity: 2,
        unit_price: euros(4900),
        line_total: euros(9800),
    };
    OrderView {
        id: ORDER.to_owned(),
        status: "pending_payment".to_owned(),
        items: vec![item],
        total: euros(9800),
        address: Some(address),
        created_at_ms: AT_MS,
        expires_at_ms: AT_MS + 900_000,
        payment: None,
        history: vec![step(1, "", "pending_payment")],
        user_id: "somebody".to_owned(),
    }
}

pub(crate) fn order_json() -> Value {
    json!({
        "id": ORDER, "status": "pending_payment",
        "items": [{
            "product_id": "enamel-kettle", "name": "Enamel kettle", "quantity": 2, "unit_price": euros_json(4900),
            "line_total": euros_json(9800),
        }],
        "total": euros_json(9800), "address": address_json(), "created_at": AT,
        "expires_at": "2026-11-22T09:45:00.123Z", "payment": null,
        "history": [{
            "seq": 1, "from": null, "to": "pending_payment", "at": "2026-11-22T09:30:00.124Z", "reason": null,
        }],
    })
}

/// The same order after its payment.
pub(crate) fn paid() -> OrderView {
    let payment = Payment {
        status: "succeeded".to_owned(),
        card_brand: "visa".to_owned(),
        card_last4: "4242".to_owned(),
        paid_at_ms: AT_MS,
    };
    let history = vec![
        step(1, "", "pending_payment"),
        step(2, "pending_payment", "paying"),
        Move { reason: "charged".to_owned(), ..step(3, "paying", "paid") },
    ];
    OrderView { status: "paid".to_owned(), payment: Some(payment), history, ..order() }
}

/// The event that tells of a move.
pub(crate) fn moved(seq: i64, to: &str) -> Event {
    let data = OrderMoved {
        order_id: ORDER.to_owned(),
        user_id: "somebody".to_owned(),
        seq,
        from: String::new(),
        to: to.to_owned(),
        at_ms: AT_MS + seq,
        lines: vec![Line { product_id: "enamel-kettle".to_owned(), quantity: 2 }],
        total: euros(9800),
    };
    Event::new("order-rpc", &format!("order.{to}"), ORDER, seq, &data).unwrap()
}
