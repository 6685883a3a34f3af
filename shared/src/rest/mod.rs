//! REST: the server, the orders of its pipelines, and what generated handlers call.

mod lists;
mod route;
mod server;

pub use lists::Middlewares;
pub use route::Spec;
pub use server::{Conf, Routes, Server, start};
