//! The tables of product-rpc, one a file.

pub(crate) mod category;
pub(crate) mod product;
pub(crate) mod reservation;
pub(crate) mod stock_move;

use shared::queue::consumer;
use shared::store::idempotency;
use shared::store::sql::Migrations;

pub(crate) const MIGRATIONS: Migrations = Migrations {
    sqlite: &[include_str!("../../migrations/sqlite/0001_catalogue.sql"), idempotency::SQLITE, consumer::SQLITE],
};
