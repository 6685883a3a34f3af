//! What logic answers with, as an HTTP response; and a refusal, as a problem.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::extract::Call;
use super::sse::Events;
use crate::error::{Error, Result};
use crate::pipeline::{ambient, header_value, protocol};

/// An answer with its status and headers. A plain value is a 200.
#[derive(Debug)]
pub struct Reply<T> {
    status: StatusCode,
    headers: HeaderMap,
    value: Option<T>,
}

impl<T> Reply<T> {
    fn new(status: StatusCode, value: Option<T>) -> Reply<T> {
        Reply { status, headers: HeaderMap::new(), value }
    }

    pub fn ok(value: T) -> Reply<T> {
        Reply::new(StatusCode::OK, Some(value))
    }

    /// With [`Reply::location`] where the new thing has a path.
    pub fn created(value: T) -> Reply<T> {
        Reply::new(StatusCode::CREATED, Some(value))
    }

    /// It will be done, and is not yet.
    pub fn accepted(value: T) -> Reply<T> {
        Reply::new(StatusCode::ACCEPTED, Some(value))
    }

    pub fn no_content() -> Reply<T> {
        Reply::new(StatusCode::NO_CONTENT, None)
    }

    /// What the client has is still the newest; send the same `etag` along.
    pub fn not_modified() -> Reply<T> {
        Reply::new(StatusCode::NOT_MODIFIED, None)
    }

    pub fn location(self, path: &str) -> Reply<T> {
        self.header(LOCATION, path)
    }

    /// `tag` without quotes: a version.
    pub fn etag(self, tag: impl std::fmt::Display) -> Reply<T> {
        self.header(ETAG, &format!("\"{tag}\""))
    }

    /// What cannot stand in a header is left out of the value.
    pub fn header(mut self, name: HeaderName, value: &str) -> Reply<T> {
        let visible: String = value.chars().filter(|letter| !letter.is_control()).collect();
        self.headers.insert(name, header_value(visible.as_bytes()));
        self
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T> From<T> for Reply<T> {
    fn from(value: T) -> Reply<T> {
        Reply::ok(value)
    }
}

impl<T: Serialize> Reply<T> {
    fn respond(self) -> Result<Response> {
        let mut rsp = match self.value {
            Some(value) => {
                let json = serde_json::to_vec(&value).map_err(Error::internal)?;
                let mut rsp = Response::new(Body::from(json));
                rsp.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                rsp
            }
            None => Response::new(Body::empty()),
        };
        *rsp.status_mut() = self.status;
        rsp.headers_mut().extend(self.headers);
        Ok(rsp)
    }
}

impl Call {
    /// The response to what logic said, on a route that returns a `T`.
    pub fn answer<T: Serialize>(&self, outcome: Result<impl Into<Reply<T>>>) -> Response {
        let rsp = outcome.and_then(|reply| reply.into().respond());
        rsp.unwrap_or_else(|error| self.refuse(&error))
    }

    /// Likewise on a route that returns nothing: a 204.
    pub fn done(&self, outcome: Result<()>) -> Response {
        self.answer::<()>(outcome.map(|()| Reply::<()>::no_content()))
    }

    /// Likewise on a route that returns events.
    pub fn stream(&self, outcome: Result<Events>) -> Response {
        match outcome {
            Ok(events) => events.respond(self.around),
            Err(error) => self.refuse(&error),
        }
    }

    /// The edge: here an error is logged, with its whole chain, where the fault is ours.
    fn refuse(&self, error: &Error) -> Response {
        if error.code().http() >= 500 {
            tracing::error!(code = error.reason(), error = error.chain(), "failed");
        }
        let ids = ambient::current().unwrap_or_default().ids;
        protocol::problem(error, self.head.uri.path(), &ids.to_string()).map(Body::from)
    }
}
