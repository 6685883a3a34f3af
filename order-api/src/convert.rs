//! From what the services say to what the contract shows: money, times, and words that are absent where they are empty.

use std::time::{Duration, UNIX_EPOCH};

use proto::order::v1 as order;
use proto::product::v1 as product;
use proto::user::v1 as user;
use proto::v1 as common;
use shared::error::{Error, Result};

use crate::api::types::{
    Address, Cart, CartItem, Category, Money, Move, Order, OrderEvent, OrderItem, OrderList, Payment,
    Product, ProductList, Stock, Tokens, User,
};

/// The last millisecond of the year 9999: RFC 3339 knows no later year.
const LATEST_MS: i64 = 253_402_300_799_999;

/// RFC 3339 in UTC, with milliseconds.
fn time(ms: i64) -> String {
    let since_epoch = Duration::from_millis(ms.clamp(0, LATEST_MS).unsigned_abs());
    humantime::format_rfc3339_millis(UNIX_EPOCH + since_epoch).to_string()
}

fn unless_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A field that its contract promises, though proto3 cannot.
fn promised<T>(field: Option<T>, name: &'static str) -> Result<T> {
    field.ok_or_else(|| Error::internal(format!("an answer came without {name}")))
}

fn all<T, U>(items: Vec<T>, convert: impl Fn(T) -> Result<U>) -> Result<Vec<U>> {
    items.into_iter().map(convert).collect()
}

fn money(amount: Option<common::Money>) -> Result<Money> {
    let common::Money { amount, currency } = promised(amount, "its money")?;
    Ok(Money { amount, currency })
}

pub(crate) fn into_money(money: Money) -> common::Money {
    common::Money { amount: money.amount, currency: money.currency }
}

pub(crate) fn into_page(size: i32, token: Option<String>) -> common::Page {
    common::Page { size, token: token.unwrap_or_default() }
}

pub(crate) fn user(profile: user::Profile) -> User {
    let user::Profile { id, email, name, role, created_at_ms } = profile;
    User { id, email, name, role, created_at: time(created_at_ms) }
}

pub(crate) fn tokens(tokens: user::Tokens) -> Tokens {
    let user::Tokens { access_token, expires_in, refresh_token, refresh_expires_in } = tokens;
    Tokens { access_token, token_type: "Bearer".to_owned(), expires_in, refresh_token, refresh_expires_in }
}

pub(crate) fn category(category: product::Category) -> Category {
    let product::Category { id, name, product_count } = category;
    Category { id, name, product_count }
}

pub(crate) fn product(item: product::Item) -> Result<Product> {
    Ok(Product {
        id: item.id,
        name: item.name,
        description: item.description,
        category_id: item.category_id,
        price: money(item.price)?,
        image_url: item.image_url,
        available: item.available,
        version: item.version,
        created_at: time(item.created_at_ms),
    })
}

pub(crate) fn product_list(page: product::ListProductsResponse) -> Result<ProductList> {
    let next_page_token = unless_empty(page.next_page_token);
    Ok(ProductList { items: all(page.items, product)?, next_page_token })
}

pub(crate) fn stock(stock: product::Stock) -> Stock {
    let product::Stock { product_id, on_hand, reserved, available } = stock;
    Stock { product_id, on_hand, reserved, available }
}

pub(crate) fn cart(cart: order::Cart) -> Result<Cart> {
    Ok(Cart { items: all(cart.items, cart_item)?, total: money(cart.total)? })
}

fn cart_item(item: order::CartItem) -> Result<CartItem> {
    Ok(CartItem {
        product_id: item.product_id,
        name: item.name,
        quantity: item.quantity,
        unit_price: money(item.unit_price)?,
        line_total: money(item.line_total)?,
        available: item.available,
        image_url: item.image_url,
    })
}

pub(crate) fn into_address(address: Address) -> order::Address {
    let Address { name, line1, line2, city, postal_code, country } = address;
    order::Address { name, line1, line2, city, postal_code, country }
}

fn address(address: order::Address) -> Address {
    let order::Address { name, line1, line2, city, postal_code, country } = address;
    Address { name, line1, line2, city, postal_code, country }
}

pub(crate) fn order(view: order::OrderView) -> Result<Order> {
    Ok(Order {
        id: view.id,
        status: view.status,
        items: all(view.items, order_item)?,
        total: money(view.total)?,
        address: address(promised(view.address, "its address")?),
        created_at: time(view.created_at_ms),
        expires_at: time(view.expires_at_ms),
        payment: view.payment.map(payment),
        history: view.history.into_iter().map(step).collect(),
    })
}

pub(crate) fn order_list(page: order::ListOrdersResponse) -> Result<OrderList> {
    let next_page_token = unless_empty(page.next_page_token);
    Ok(OrderList { items: all(page.items, order)?, next_page_token })
}

fn order_item(item: order::OrderItem) -> Result<OrderItem> {
    Ok(OrderItem {
        product_id: item.product_id,
        name: item.name,
        quantity: item.quantity,
        unit_price: money(item.unit_price)?,
        line_total: money(item.line_total)?,
    })
}

fn payment(payment: order::Payment) -> Payment {
    let order::Payment { status, card_brand, card_last4, paid_at_ms } = payment;
    Payment { status, card_brand, card_last4, paid_at: (paid_at_ms > 0).then(|| time(paid_at_ms)) }
}

fn step(step: order::Move) -> Move {
    let order::Move { seq, from, to, at_ms, reason } = step;
    Move { seq, from: unless_empty(from), to, at: time(at_ms), reason: unless_empty(reason) }
}

/// A move that is told live.
pub(crate) fn moved(moved: order::OrderMoved) -> OrderEvent {
    OrderEvent { order_id: moved.order_id, status: moved.to, seq: moved.seq, at: time(moved.at_ms) }
}

/// The same, from an order's history.
pub(crate) fn past(order_id: &str, step: order::Move) -> OrderEvent {
    OrderEvent { order_id: order_id.to_owned(), status: step.to, seq: step.seq, at: time(step.at_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_milliseconds() {
        assert_eq!(time(1_795_339_800_123), "2026-11-22T09:30:00.123Z");
        assert_eq!(time(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(-1), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(i64::MAX), "9999-12-31T23:59:59.999Z");
    }
}
