//! REST: the server, the orders of its pipelines, and what generated handlers call.
//!
//! A build script has `apigen` write the code of a contract, and a module includes it:
//!
//! ```text
//! include!(concat!(env!("OUT_DIR"), "/<service>.rs"));
//! ```
//!
//! Then the module has `types`, a handler a route, and `routes(&Server, &ServiceContext) -> axum::Router`. It needs the
//! crates `axum`, `http`, `serde` and `serde_json` beside this one, and of the crate that includes it
//!
//! - `crate::svc::ServiceContext`, which is cheap to clone;
//! - a method of the context for each middleware that the contract names: `AdminOnly` is
//!   `ctx.admin_only() -> Arc<dyn Concern>`, asked once a route;
//! - a function for each handler, in the module of its group, or of its service where `group:` is left out:
//!
//! ```text
//! crate::logic::<group>::<handler>(&ServiceContext, [Caller where jwt,] [request]) -> shared::error::Result<answer>
//! ```
//!
//! whose request is the type of that name in `types`, and whose answer is the type that the contract returns or a
//! [`Reply`] of it, `()` where it returns nothing, and [`Events`] where it has `sse: true`. Names are those of the
//! contract in snake case: `GetOrder` is `get_order`, its field `PageSize` is `page_size`. What is `optional` or a pointer
//! is an `Option`. All of it is `pub(crate)`, and none of the types can be printed: they hold passwords and cards.

pub mod etag;

mod decode;
mod extract;
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
pub use lists::Middlewares;
pub use members::Members;
pub use reply::Reply;
pub use route::Spec;
pub use server::{Conf, Routes, Server, start};
pub use sse::{Event, Events};
pub use validate::Rule;
