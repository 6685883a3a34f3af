//! The provider as its clients see it: over HTTP, each test with a database of its own.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod cards;
mod keys;
mod lists;
mod refunds;
mod world;
