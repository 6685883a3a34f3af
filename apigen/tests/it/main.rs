//! The compiler of contracts, seen from outside: that what it makes of a contract works.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod api;
mod gateway;
mod generated;
mod logic;
mod ping;
mod svc;
