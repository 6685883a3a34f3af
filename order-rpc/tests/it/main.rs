//! order-rpc as its clients see it: over real gRPC, each test with a database of its own. Its neighbours are played by the
//! tests: product-rpc by its generated trait, the payment provider by a small HTTP server; both do as they are told.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod cancel;
mod cart;
mod catalogue;
mod configuration;
mod crash;
mod events;
mod expiry;
mod life;
mod list;
mod pay;
mod place;
mod property;
mod provider;
mod race;
mod reconcile;
mod records;
mod world;
