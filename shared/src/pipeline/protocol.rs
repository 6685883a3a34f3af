//! The one file that knows HTTP from gRPC: when an outcome is known, what counts as a failure, how a refusal looks.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::Body;

use super::{Cx, End, Refusal};
use crate::error::{Code, Error};

pub const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const UNKNOWN: u16 = tonic::Code::Unknown as u16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Grpc,
}

impl Protocol {
    /// The number that metrics and logs show for a code of ours.
    pub fn number(self, code: Code) -> u16 {
        match self {
            Protocol::Http => code.http(),
            Protocol::Grpc => code.grpc() as u16,
        }
    }

    /// Whether an answer with this number says that the one who answered is unwell. A refusal for business reasons does
    /// not, nor does push-back (429, RESOURCE_EXHAUSTED), nor that something is not implemented.
    pub fn is_failure(self, number: u16) -> bool {
        match self {
            Protocol::Http => number >= 500 && number != 501 && number != 505,
            Protocol::Grpc => matches!(
                tonic::Code::from(i32::from(number)),
                tonic::Code::Unknown
                    | tonic::Code::DeadlineExceeded
                    | tonic::Code::Internal
                    | tonic::Code::Unavailable
                    | tonic::Code::DataLoss
            ),
        }
    }

    /// The outcome, where the head of the answer tells it already; else its body must be watched to the end.
    pub(super) fn known<B: Body>(self, method: &Method, head: &Response<B>) -> Option<(End, u16)> {
        let status = head.status();
        match self {
            Protocol::Grpc => match head.headers().get(&GRPC_STATUS) {
                Some(value) => Some((End::Answered, grpc_number(value))),
                None if status != StatusCode::OK => Some((End::Failed, UNKNOWN)),
                None => None,
            },
            Protocol::Http => {
                let body = head.body();
                // axum drops the body of an answer to HEAD without polling it.
                let whole = body.is_end_stream()
                    || body.size_hint().exact().is_some()
                    || method == Method::HEAD
                    || status == StatusCode::NO_CONTENT
                    || status == StatusCode::NOT_MODIFIED;
                if whole {
                    return Some((End::Answered, status.as_u16()));
                }
                let kind = head.headers().get(CONTENT_TYPE);
                let endless = status.is_informational()
                    || kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
                endless.then_some((End::Streaming, status.as_u16()))
            }
        }
    }

    /// The outcome of an answer that is in memory as a whole.
    pub(super) fn whole(self, status: StatusCode, headers: &HeaderMap) -> (End, u16) {
        match self {
            Protocol::Http => (End::Answered, status.as_u16()),
            Protocol::Grpc => {
                self.at_end(status.as_u16(), Some(headers).filter(|all| all.contains_key(&GRPC_STATUS)))
            }
        }
    }

    /// How the end of a body reads: the number, and whether it is one that the sender meant.
    pub(super) fn at_end(self, status: u16, trailers: Option<&HeaderMap>) -> (End, u16) {
        match (self, trailers) {
            (Protocol::Http, _) => (End::Answered, status),
            (Protocol::Grpc, Some(trailers)) => {
                (End::Answered, trailers.get(&GRPC_STATUS).map_or(UNKNOWN, grpc_number))
            }
            (Protocol::Grpc, None) => (End::Failed, UNKNOWN),
        }
    }

    /// A refusal as an answer. It carries itself in the extensions, so that a caller can tell ours from theirs.
    pub(super) fn refuse(self, cx: &Cx, refusal: &Refusal) -> Response<Bytes> {
        let error = refusal.error();
        let mut rsp = match self {
            Protocol::Http => problem(&error, cx.path(), &cx.ids.to_string()),
            Protocol::Grpc => tonic::Status::from(error).into_http::<Bytes>(),
        };
        rsp.extensions_mut().insert(*refusal);
        rsp
    }
}

/// An error as an `application/problem+json` answer.
pub fn problem(error: &Error, instance: &str, trace_id: &str) -> Response<Bytes> {
    let mut rsp = Response::new(Bytes::from(error.problem(instance, trace_id).to_string()));
    *rsp.status_mut() =
        StatusCode::from_u16(error.code().http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = rsp.headers_mut();
    headers.insert(CONTENT_TYPE, PROBLEM);
    if error.code() == Code::Unauthenticated {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(after) = error.retry() {
        // Whole seconds, upwards: a client that comes at the time is not too early.
        headers.insert(RETRY_AFTER, HeaderValue::from(after.as_millis().div_ceil(1000).max(1) as u64));
    }
    rsp
}

fn grpc_number(value: &HeaderValue) -> u16 {
    match value.as_bytes() {
        [digit @ b'0'..=b'9'] => u16::from(digit - b'0'),
        bytes => std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).unwrap_or(UNKNOWN),
    }
}
