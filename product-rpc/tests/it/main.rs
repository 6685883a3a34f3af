//! product-rpc as its clients see it: over real gRPC, with events from a real queue, each test with a database of its own.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod catalogue;
mod editing;
mod events;
mod model;
mod reservations;
mod stock;
mod world;
