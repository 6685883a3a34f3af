//! The shop as its customers, its administrators and its operators see it. Each test has a shop of its own, and ends with
//! the audit.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod audit;
mod catalogue;
mod contract;
mod crash;
mod events;
mod expiry;
mod faults;
mod keys;
mod killed;
mod left;
mod load;
mod operator;
mod orders;
mod payments;
mod races;
mod trace;
mod users;
