//! The compiler of contracts, seen from outside: what it makes of a contract, and that this works.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod api;
mod arbitrary;
mod axum_agrees;
mod command;
mod gateway;
mod generated;
mod golden;
mod logic;
mod names;
mod ping;
mod svc;
mod valid;
mod wrong;
