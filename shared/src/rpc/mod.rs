//! RPC: the server, the client with its balancer, and the orders of their pipelines.

mod balancer;
pub mod client;
mod endpoint;
mod lists;
mod methods;
mod retry;
pub mod server;

pub use methods::{Method, methods};
