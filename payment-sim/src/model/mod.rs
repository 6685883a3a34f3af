//! The tables of payment-sim, one a file.

pub(crate) mod charge;

use shared::store::sql::Migrations;

pub(crate) const MIGRATIONS: Migrations =
    Migrations { sqlite: &[include_str!("../../migrations/sqlite/0001_charges.sql")] };
