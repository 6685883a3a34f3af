//! What a contract says of one route, beside its handler.

use std::sync::Arc;
use std::time::Duration;

use http::Method;

use crate::pipeline::Concern;

/// Generated from an `.api` file.
pub struct Spec {
    pub method: Method,
    /// In axum's form, `/v1/orders/{id}`: the label of metrics and logs.
    pub pattern: &'static str,
    /// `group.handler`.
    pub handler: &'static str,
    /// It needs a caller.
    pub jwt: bool,
    /// Its answer is a stream of events without an end, so it has no deadline.
    pub sse: bool,
    /// The server's default where there is none.
    pub timeout: Option<Duration>,
    /// Likewise.
    pub max_bytes: Option<usize>,
    pub middleware: Vec<Arc<dyn Concern>>,
}

impl Spec {
    pub fn new(method: Method, pattern: &'static str, handler: &'static str) -> Spec {
        Spec {
            method,
            pattern,
            handler,
            jwt: false,
            sse: false,
            timeout: None,
            max_bytes: None,
            middleware: Vec::new(),
        }
    }
}
