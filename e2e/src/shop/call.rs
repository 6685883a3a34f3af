//! One request and its answer. Whatever a test asks, the answer must keep what the contract says of all answers.

use std::future::IntoFuture;
use std::panic::Location;
use std::pin::Pin;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::contract::Seen;
use super::{Shop, fresh};

/// Awaited, it is sent.
#[must_use = "a call is sent by awaiting it"]
pub struct Call {
    shop: Shop,
    method: Method,
    path: String,
    request: RequestBuilder,
    place: &'static Location<'static>,
}

impl Call {
    #[track_caller]
    pub(super) fn new(shop: &Shop, method: Method, path: &str) -> Call {
        let request = shop.http().request(method.clone(), format!("{}{path}", shop.url()));
        Call { shop: shop.clone(), method, path: path.to_owned(), request, place: Location::caller() }
    }

    pub fn bearer(mut self, token: &str) -> Call {
        self.request = self.request.bearer_auth(token);
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.request = self.request.header(name, value);
        self
    }

    /// An idempotency key that nobody used before.
    pub fn once(self) -> Call {
        let key = fresh("key");
        self.key(&key)
    }

    pub fn key(self, key: &str) -> Call {
        self.header("Idempotency-Key", key)
    }

    pub fn query(mut self, name: &str, value: &str) -> Call {
        self.request = self.request.query(&[(name, value)]);
        self
    }

    pub fn json(mut self, body: &Value) -> Call {
        self.request = self.request.json(body);
        self
    }

    pub fn body(mut self, content_type: &str, body: impl Into<reqwest::Body>) -> Call {
        self.request = self.request.header(CONTENT_TYPE, content_type).body(body);
        self
    }

    pub(super) fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// The answer as it comes in, after its head was held against the conventions: for streams.
    pub(super) async fn stream(self) -> Result<reqwest::Response, reqwest::Error> {
        let Call { shop, method, path, request, place } = self;
        let rsp = request.send().await?;
        let path = path.split('?').next().unwrap_or_default().to_owned();
        shop.note(Seen {
            method: method.to_string(),
            path,
            status: rsp.status().as_u16(),
            code: String::new(),
        });
        trace_id(rsp.headers(), place);
        Ok(rsp)
    }

    /// The answer, or why there is none: for tests that stop the shop meanwhile.
    pub async fn send(self) -> Result<Answer, reqwest::Error> {
        let Call { shop, method, path, request, place } = self;
        let rsp = request.send().await?;
        let (status, headers) = (rsp.status().as_u16(), rsp.headers().clone());
        let text = rsp.text().await?;
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let answer = Answer::new(status, headers, text, place);
        answer.keeps_the_conventions(&method, &path);
        let code = answer.code().to_owned();
        shop.note(Seen { method: method.to_string(), path, status, code });
        Ok(answer)
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (place, what) = (self.place, format!("{} {}", self.method, self.path));
            self.send().await.unwrap_or_else(|error| panic!("{place}: {what}: {error:?}"))
        })
    }
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// `null` where it is no JSON.
    pub body: Value,
    pub text: String,
    place: &'static Location<'static>,
}

impl Answer {
    fn new(status: u16, headers: HeaderMap, text: String, place: &'static Location<'static>) -> Answer {
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, headers, body, text, place }
    }

    /// A problem's `code`; empty where it is none.
    pub fn code(&self) -> &str {
        if self.status < 400 { "" } else { self.body["code"].as_str().unwrap_or_default() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn trace_id(&self) -> &str {
        self.header("x-trace-id")
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "asked at {}: {}", self.place, self.text);
        self.body
    }

    /// The problem of a refusal.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        let is = (self.status, self.code());
        assert_eq!(is, (status, code), "asked at {}: {}", self.place, self.text);
        self.body
    }

    /// That it was refused for this place in the request.
    #[track_caller]
    pub fn invalid(self, pointer: &str) -> Value {
        let place = self.place;
        let problem = self.refused(400, "invalid_argument");
        let pointers: Vec<&str> = problem["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["pointer"].as_str())
            .collect();
        assert!(pointers.contains(&pointer), "asked at {place}: {pointer} is not among {pointers:?}");
        problem
    }

    fn keeps_the_conventions(&self, method: &Method, path: &str) {
        let (status, place) = (self.status, self.place);
        let trace_id = trace_id(&self.headers, place);
        let says = |what: &str| format!("asked at {place}: {method} {path}: {status} {what}: {}", self.text);
        let content_type = self.header("content-type");
        if status < 400 {
            let is_empty = matches!(status, 204 | 304) || *method == Method::HEAD;
            assert_eq!(self.text.is_empty(), is_empty, "{}", says("with or without a body"));
            let is_json = content_type.split(';').next() == Some("application/json") && !self.body.is_null();
            let is_other = path.starts_with("/pictures/");
            assert!(is_empty || is_json || is_other, "{}", says("is no JSON"));
            return;
        }
        assert_eq!(content_type, "application/problem+json", "{}", says("is no problem"));
        let problem = &self.body;
        assert_eq!(problem["type"], "about:blank", "{}", says("type"));
        assert_eq!(problem["status"], status, "{}", says("status"));
        assert_eq!(problem["instance"], path, "{}", says("instance"));
        assert_eq!(problem["trace_id"], trace_id, "{}", says("trace_id"));
        for member in ["title", "detail", "code"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{}", says(member));
        }
        for one in problem["errors"].as_array().into_iter().flatten() {
            let is_whole = one["pointer"].is_string() && one["detail"].is_string();
            assert!(is_whole, "{}", says("errors"));
        }
        let needs = match status {
            401 => "www-authenticate",
            405 => "allow",
            429 | 503 => "retry-after",
            _ => return,
        };
        assert!(!self.header(needs).is_empty(), "{}", says(needs));
    }
}

fn trace_id(headers: &HeaderMap, place: &Location<'_>) -> String {
    let trace_id = headers.get("x-trace-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_one =
        trace_id.len() == 32 && trace_id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(is_one, "asked at {place}: X-Trace-Id is `{trace_id}`");
    trace_id.to_owned()
}
