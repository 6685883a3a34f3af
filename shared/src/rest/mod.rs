//! REST: the server, the orders of its pipelines, and what generated handlers call.
//!
//! A module that `apigen` generates from a contract has `types`, a handler a route, and `routes`. It expects of the crate
//! that includes it `crate::svc::ServiceContext`, a method of the context for each middleware that the contract names
//! (`AdminOnly` is `ctx.admin_only() -> Arc<dyn Concern>`), and a function for each handler:
//!
//! ```text
//! crate::logic::<group>::<handler>(&ServiceContext, [Caller where jwt,] [request]) -> shared::error::Result<answer>
//! ```
//!
//! where the answer is the type that the contract returns, or a [`Reply`] of it; `()` where it returns nothing, [`Events`]
//! where it has `sse: true`.

pub mod etag;

mod decode;
mod extract;
mod format;
mod json;
mod lists;
mod members;
mod reply;
mod route;
mod server;
mod sse;
mod validate;

pub use decode::{Decode, Faults, Pointer};
pub use extract::{Call, Input, Request};
pub use format::Format;
pub use lists::Middlewares;
pub use members::Members;
pub use reply::Reply;
pub use route::Spec;
pub use server::{Conf, Routes, Server, start};
pub use sse::{Event, Events};
pub use validate::Rule;
