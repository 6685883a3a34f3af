//! What the framework promises, seen from outside.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod admin;
mod auth;
mod cache;
mod connections;
mod http_client;
mod lifecycle;
mod linger;
mod log;
mod metrics;
mod pipeline;
mod pipeline_cost;
mod pipeline_rpc;
mod queue;
mod queue_faults;
mod rpc;
mod serving;
mod spy;
mod store;
mod token;
mod world;
