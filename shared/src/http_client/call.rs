//! One call, and its answer. Neither can be printed: they hold what customers and peers tell each other.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::{Layer, ServiceExt};

use super::client::Route;
use super::transport::Failure;
use crate::error::{Error, Result};
use crate::pipeline::{Pick, Refusal};

/// A request that is being written.
#[must_use = "nothing is sent before `send`"]
pub struct Call {
    route: Route,
    /// What is wrong is told when it is sent.
    request: Result<Request<Full<Bytes>>>,
}

impl Call {
    pub(super) fn new(route: Route, path: &str) -> Call {
        let request = match route.peer.base.join(path).filter(|_| fits(path, route.pattern)) {
            Some(uri) => {
                let mut req = Request::new(Full::default());
                *req.method_mut() = route.method.clone();
                *req.uri_mut() = uri;
                Ok(req)
            }
            // Without the path: who called with a strange one may have been told it by a client.
            None => Err(Error::internal(format!("a path does not fit {}", route.pattern))),
        };
        Call { route, request }
    }

    pub fn header(mut self, name: HeaderName, value: &str) -> Call {
        self.request = self.request.and_then(|mut req| {
            let value = HeaderValue::from_str(value);
            let value = value
                .map_err(|_| Error::internal(format!("the value of {name} cannot stand in a header")))?;
            req.headers_mut().insert(name, value);
            Ok(req)
        });
        self
    }

    pub fn json(mut self, body: &impl Serialize) -> Call {
        self.request = self.request.and_then(|req| {
            let json = serde_json::to_vec(body).map_err(Error::internal)?;
            let mut req = req.map(|_| Full::from(json));
            req.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(req)
        });
        self
    }

    /// Whatever its status, an answer is an answer. Errors: `unavailable` where the peer was not reached or broke off,
    /// `deadline_exceeded` where it was too slow, `internal` where the answer is too large.
    pub async fn send(self) -> Result<Answer> {
        let Call { route, request } = self;
        let request = request?;
        let _busy = route.peer.transport.busy();
        let sent = Pick::One(route.call.clone()).layer(route.retry()).oneshot(request).await;
        let rsp = match sent {
            Ok(rsp) => match rsp.extensions().get::<Refusal>() {
                Some(refusal) => return Err(route.failed(Failure::Refused(*refusal))),
                None => rsp,
            },
            Err(failure) => return Err(route.failed(failure)),
        };
        let (head, body) = rsp.into_parts();
        // It has been read already.
        let body = body.collect().await.map_err(Error::internal)?.to_bytes();
        Ok(Answer { peer: route.peer.name, status: head.status, body })
    }
}

impl Route {
    fn failed(&self, failure: Failure) -> Error {
        let peer = self.peer.name;
        let error = match &failure {
            Failure::Unconnected(_) => Error::unavailable(format!("{peer} cannot be reached")),
            Failure::Broken(_) => Error::unavailable(format!("{peer} broke off before it had answered")),
            Failure::TooLarge(_) => return Error::internal(self.failing(failure)),
            Failure::Refused(refusal) => refusal.error(),
        };
        error.caused_by(self.failing(failure))
    }

    fn failing(&self, source: Failure) -> Failed {
        Failed { method: self.method.to_string(), peer: self.peer.name, pattern: self.pattern, source }
    }
}

/// The step that failed, for the log.
#[derive(Debug, thiserror::Error)]
#[error("{method} {pattern} of {peer}")]
struct Failed {
    method: String,
    peer: &'static str,
    pattern: &'static str,
    source: Failure,
}

/// Whether the path is one of this pattern, so that what stands in a path cannot lead to another route.
fn fits(path: &str, pattern: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let mut segments = path.split('/');
    let all = pattern.split('/').all(|wanted| {
        segments.next().is_some_and(|segment| match wanted.starts_with('{') {
            true => !matches!(segment, "" | "." | ".."),
            false => segment == wanted,
        })
    });
    all && segments.next().is_none()
}

/// An answer, read whole.
#[derive(Clone)]
pub struct Answer {
    peer: &'static str,
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body. What is not the JSON of a `T` is an `internal` error that says where, and repeats nothing of it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let kind = if error.is_data() { "not what was expected" } else { "not JSON" };
            let place = format!("line {}, column {}", error.line(), error.column());
            Error::internal(format!("an answer of {} with {} is {kind} at {place}", self.peer, self.status))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_its_pattern_alone() {
        let pattern = "/v1/charges/{key}/void";
        for good in ["/v1/charges/a/void", "/v1/charges/%2F/void", "/v1/charges/a/void?b=c/d"] {
            assert!(fits(good, pattern), "{good}");
        }
        for bad in [
            "",
            "/",
            "/v1/charges/void",
            "/v1/charges//void",
            "/v1/charges/../void",
            "/v1/charges/a/b/void",
            "/v1/charges/a/void/",
            "/v1/charges/a?/void",
            "v1/charges/a/void",
        ] {
            assert!(!fits(bad, pattern), "{bad}");
        }
    }

    #[test]
    fn an_answer_that_is_something_else_is_told_without_its_words() {
        let answer = |body: &'static str| Answer {
            peer: "peer",
            status: StatusCode::OK,
            body: Bytes::from_static(body.as_bytes()),
        };
        assert_eq!(answer("[1]").json::<Vec<u8>>().unwrap(), [1]);
        for (body, told) in [
            ("[\"secret\"]", "an answer of peer with 200 OK is not what was expected at line 1, column 9"),
            ("<secret>", "is not JSON at line 1, column 1"),
            ("", "is not JSON at line 1, column 0"),
        ] {
            let error = answer(body).json::<Vec<u8>>().unwrap_err();
            assert!(error.chain().contains(told) && !error.chain().contains("secret"), "{}", error.chain());
        }
    }
}
