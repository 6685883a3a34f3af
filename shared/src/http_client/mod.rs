//! Outbound HTTP through the client pipeline. A call passes its list, then the retry, then the list of an attempt, then
//! a pooled HTTP/1.1 connection; no TLS.
//!
//! ```no_run
//! # use shared::{error::BoxError, http_client::{Client, Conf}, lifecycle::Lifecycle};
//! # use http::{Method, StatusCode};
//! # async fn example(conf: &Conf, lifecycle: &Lifecycle) -> Result<(), BoxError> {
//! // At start:
//! let client = Client::try_new("payment", conf, lifecycle)?;
//! let look_up = client.route(Method::GET, "/v1/charges/{key}").idempotent();
//! // For each call:
//! let answer = look_up.to("/v1/charges/0199c0de").send().await?;
//! if answer.status() == StatusCode::OK {
//!     let charge: serde_json::Value = answer.json()?;
//! }
//! # Ok(()) }
//! ```

mod call;
mod client;
mod lists;
mod retry;
mod transport;

pub use call::{Answer, Call};
pub use client::{Client, Conf, Route};
pub use lists::Middlewares;
