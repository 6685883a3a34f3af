//! The tables of order-rpc, one a file; and the carts, which are in a key-value store.

pub(crate) mod cart;
pub(crate) mod order;
pub(crate) mod order_line;
pub(crate) mod order_move;
pub(crate) mod payment;

use shared::queue::outbox;
use shared::store::idempotency;
use shared::store::sql::Migrations;

pub(crate) const MIGRATIONS: Migrations = Migrations {
    sqlite: &[
        include_str!("../../migrations/sqlite/0001_orders.sql"),
        idempotency::SQLITE,
        outbox::SQLITE,
        include_str!("../../migrations/sqlite/0002_orders_of_user.sql"),
    ],
};

/// A text in a column that another version of this service must have written.
fn strange(column: &str, text: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("`{text}` is no {column}").into())
}

/// `?, ?, ?`, for so many values.
fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}
