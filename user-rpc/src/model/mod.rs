//! The tables of user-rpc, one a file.

pub(crate) mod refresh_token;
pub(crate) mod user;

use shared::store::sql::Migrations;

pub(crate) const MIGRATIONS: Migrations =
    Migrations { sqlite: &[include_str!("../../migrations/sqlite/0001_users.sql")] };
