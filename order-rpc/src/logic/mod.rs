//! The use cases, one a file; and what several of them do alike.

pub(crate) mod cancel_order;
pub(crate) mod clear_cart;
pub(crate) mod deliver_order;
pub(crate) mod get_cart;
pub(crate) mod get_order;
pub(crate) mod list_orders;
pub(crate) mod pay_order;
pub(crate) mod place_order;
pub(crate) mod refund_order;
pub(crate) mod remove_cart_item;
pub(crate) mod set_cart_item;
pub(crate) mod ship_order;

pub(crate) mod advance;
pub(crate) mod expire;
pub(crate) mod pay_back;
pub(crate) mod settle;

mod administrator;
mod answer;
mod lines;
mod quote;
mod view;

use shared::error::{Error, Result, Violation};

/// How this service signs the moves that it makes by itself.
pub(crate) const SELF: &str = "order-rpc";

fn no_such_order() -> Error {
    Error::not_found("no such order")
}

/// The gateway takes it from a token; an order or a cart of nobody must not come to be.
fn check_user(user_id: &str) -> Result<()> {
    if (1..=36).contains(&user_id.len()) {
        return Ok(());
    }
    Err(Error::invalid(vec![Violation::new("/user_id", "must have 1 to 36 characters")]))
}

fn check_reason(reason: &str) -> Result<()> {
    if reason.chars().count() <= 200 {
        return Ok(());
    }
    Err(Error::invalid(vec![Violation::new("/reason", "must have at most 200 characters")]))
}
