//! The framework of the services: configuration, lifecycle, the pipeline of every request, stores and queues.
//! It knows no user, no order and no product.

pub mod clock;
pub mod config;
pub mod crash;
pub mod discovery;
pub mod error;
pub mod format;
pub mod guard;
pub mod http_client;
pub mod lifecycle;
mod linger;
pub mod pipeline;
pub mod queue;
pub mod rest;
pub mod rpc;
pub mod serve;
pub mod service;
pub mod store;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
