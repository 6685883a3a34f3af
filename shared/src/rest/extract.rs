//! From an HTTP request to the request type of a contract. Every fault is told at once; a body is read no further than
//! its limit, whether or not it said how long it would be.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, request};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::decode::{Faults, Pointer};
use super::json;
use super::members::Members;
use crate::error::{Code, Error, Result, Violation};
use crate::lifecycle::Lifecycle;
use crate::pipeline::auth::Caller;
use crate::pipeline::place;

/// A request type of a contract; generated.
pub trait Request: Sized {
    /// Some of its fields are in the body.
    const BODY: bool;

    /// `None` where something is wrong; then the input has the faults.
    fn read(input: &mut Input<'_>) -> Option<Self>;
}

/// Where the fields of a request can come from.
pub struct Input<'a> {
    pub path: Members<'a>,
    pub query: Members<'a>,
    pub header: Members<'a>,
    pub body: Members<'a>,
}

/// What handlers need to know of their server: the place of each route.
pub(super) struct Surroundings {
    pub(super) max_bytes: usize,
    pub(super) heartbeat: Duration,
    pub(super) lifecycle: Lifecycle,
}

/// A request in the hands of its handler.
pub struct Call {
    pub(super) head: request::Parts,
    pub(super) around: &'static Surroundings,
    body: Body,
}

impl<S: Sync> FromRequest<S> for Call {
    type Rejection = Infallible;

    async fn from_request(req: axum::extract::Request, _: &S) -> Result<Call, Infallible> {
        let (head, body) = req.into_parts();
        Ok(Call { head, around: place().expect("`Routes::add` gives every handler its place"), body })
    }
}

impl Call {
    /// Who calls, as auth found; UNAUTHENTICATED where no auth was asked.
    pub fn caller(&mut self) -> Result<Caller> {
        let caller = self.head.extensions.remove::<Caller>();
        caller.ok_or_else(|| Error::of(Code::Unauthenticated, "this needs a signed-in user"))
    }

    /// Once for a call: the body is gone then.
    pub async fn request<R: Request>(&mut self) -> Result<R> {
        let path = self.path().await?;
        let query = self.head.uri.query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let body = if R::BODY { self.body().await? } else { Ok(Map::new()) };
        read(path, query, &self.head.headers, body)
    }

    async fn path(&mut self) -> Result<Vec<(String, String)>> {
        let params = RawPathParams::from_request_parts(&mut self.head, &()).await;
        // What is not UTF-8 names nothing.
        let params =
            params.map_err(|error| Error::not_found("there is nothing at this path").caused_by(error))?;
        Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The members of the body's object, or what is wrong with it as a whole. Where there are no bytes there are no
    /// members, so that a request whose fields are all optional needs no body.
    async fn body(&mut self) -> Result<Result<Map<String, Value>, String>> {
        let declared = self.head.headers.get(CONTENT_TYPE).map(|value| is_json(value.as_bytes()));
        if declared == Some(false) {
            return Err(unsupported());
        }
        let bytes = self.bytes().await?;
        if bytes.is_empty() {
            return Ok(Ok(Map::new()));
        }
        if declared.is_none() {
            return Err(unsupported());
        }
        Ok(match json::parse(&bytes) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err("must be a JSON object".to_owned()),
            Err(error) => Err(format!("is not JSON: {error}")),
        })
    }

    async fn bytes(&mut self) -> Result<Bytes> {
        let most = self.around.max_bytes;
        let body = std::mem::take(&mut self.body);
        // Before the first byte is asked for, so that who waits for a 100 Continue sends nothing in vain.
        if body.size_hint().lower() > most as u64 {
            return Err(too_large(most));
        }
        match Limited::new(body, most).collect().await {
            Ok(whole) => Ok(whole.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(too_large(most)),
            Err(error) => {
                let broken = Violation::new(Pointer::Whole.to_string(), "broke off");
                Err(Error::invalid(vec![broken]).caused_by(error))
            }
        }
    }
}

fn read<R: Request>(
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    headers: &HeaderMap,
    body: Result<Map<String, Value>, String>,
) -> Result<R> {
    let mut faults: [Faults; 4] = Default::default();
    let [of_path, of_query, of_headers, of_body] = &mut faults;
    let mut unread = Faults::default();
    let (of_body, members) = match body {
        Ok(members) => (of_body, members),
        Err(fault) => {
            of_body.add(&Pointer::Whole, fault);
            // Its fields would all be missing: one fault says it.
            (&mut unread, Map::new())
        }
    };
    let mut input = Input {
        path: Members::of_texts(path, of_path),
        query: Members::of_texts(query, of_query),
        header: Members::of_headers(headers, of_headers),
        body: Members::of_object(members, of_body),
    };
    let request = R::read(&mut input);
    input.query.close();
    if R::BODY {
        input.body.close();
    }
    let violations: Vec<Violation> = faults.into_iter().flat_map(Faults::into_violations).collect();
    match request {
        Some(request) if violations.is_empty() => Ok(request),
        _ => Err(Error::invalid(violations)),
    }
}

/// `application/json`, or a type that says of itself that it is JSON (RFC 6839), such as `application/merge-patch+json`.
fn is_json(value: &[u8]) -> bool {
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(b"application/json")
        || (essence.len() > 17
            && essence[..12].eq_ignore_ascii_case(b"application/")
            && essence[essence.len() - 5..].eq_ignore_ascii_case(b"+json"))
}

fn unsupported() -> Error {
    Error::of(Code::UnsupportedMediaType, "the body must be application/json")
}

fn too_large(most: usize) -> Error {
    Error::of(Code::TooLarge, format!("the body must have at most {most} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_type() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(is_json(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "application/jsonp",
            "application/+json",
            "text/json+json",
            "multipart/form-data",
        ] {
            assert!(!is_json(bad.as_bytes()), "{bad}");
        }
    }
}
