//! The tables of product-rpc, one a file; `products` in three: its rows, its pages, its stock.

pub(crate) mod catalogue;
pub(crate) mod category;
pub(crate) mod product;
pub(crate) mod reservation;
pub(crate) mod stock;
pub(crate) mod stock_move;

use shared::queue::consumer;
use shared::store::idempotency;
use shared::store::sql::Migrations;

pub(crate) const MIGRATIONS: Migrations = Migrations {
    sqlite: &[
        include_str!("../../migrations/sqlite/0001_catalogue.sql"),
        idempotency::SQLITE,
        consumer::SQLITE,
    ],
};
