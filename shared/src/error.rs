//! One coded error for the whole system, and the only place where an HTTP status and a gRPC code are chosen.
//!
//! Logic returns it; REST shows it as an RFC 9457 problem, RPC as a status whose details carry everything that the
//! problem will need, so that a refusal deep inside reaches the customer word for word. The cause is private: it
//! is logged where the request ends, and never sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tonic_types::{ErrorDetails, StatusExt};

pub type Result<T, E = Error> = std::result::Result<T, E>;
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The kind of a refusal or failure: what a program may decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    InvalidArgument,
    Unauthenticated,
    PaymentRequired,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    PreconditionFailed,
    TooLarge,
    UnsupportedMediaType,
    Unprocessable,
    PreconditionRequired,
    RateLimited,
    Cancelled,
    Internal,
    Unimplemented,
    Unavailable,
    DeadlineExceeded,
}

/// code, its name on the wire, HTTP status, gRPC code, the problem's title.
const TABLE: [(Code, &str, u16, tonic::Code, &str); 18] = {
    use tonic::Code as Grpc;
    [
        (Code::InvalidArgument, "invalid_argument", 400, Grpc::InvalidArgument, "Invalid argument"),
        (Code::Unauthenticated, "unauthenticated", 401, Grpc::Unauthenticated, "Unauthenticated"),
        (Code::PaymentRequired, "payment_required", 402, Grpc::FailedPrecondition, "Payment required"),
        (Code::Forbidden, "forbidden", 403, Grpc::PermissionDenied, "Forbidden"),
        (Code::NotFound, "not_found", 404, Grpc::NotFound, "Not found"),
        (Code::MethodNotAllowed, "method_not_allowed", 405, Grpc::Unimplemented, "Method not allowed"),
        (Code::Conflict, "conflict", 409, Grpc::Aborted, "Conflict"),
        (
            Code::PreconditionFailed,
            "precondition_failed",
            412,
            Grpc::FailedPrecondition,
            "Precondition failed",
        ),
        (Code::TooLarge, "too_large", 413, Grpc::OutOfRange, "Too large"),
        (
            Code::UnsupportedMediaType,
            "unsupported_media_type",
            415,
            Grpc::InvalidArgument,
            "Unsupported media type",
        ),
        (Code::Unprocessable, "unprocessable", 422, Grpc::InvalidArgument, "Unprocessable"),
        (
            Code::PreconditionRequired,
            "precondition_required",
            428,
            Grpc::FailedPrecondition,
            "Precondition required",
        ),
        (Code::RateLimited, "rate_limited", 429, Grpc::ResourceExhausted, "Too many requests"),
        (Code::Cancelled, "cancelled", 499, Grpc::Cancelled, "Cancelled by the client"),
        (Code::Internal, "internal", 500, Grpc::Internal, "Internal error"),
        (Code::Unimplemented, "unimplemented", 501, Grpc::Unimplemented, "Not implemented"),
        (Code::Unavailable, "unavailable", 503, Grpc::Unavailable, "Unavailable"),
        (Code::DeadlineExceeded, "deadline_exceeded", 504, Grpc::DeadlineExceeded, "Deadline exceeded"),
    ]
};

impl Code {
    fn row(self) -> &'static (Code, &'static str, u16, tonic::Code, &'static str) {
        &TABLE[self as usize]
    }

    /// The name in `snake_case`: the `code` of a problem that gives no finer reason.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    pub fn http(self) -> u16 {
        self.row().2
    }

    pub fn grpc(self) -> tonic::Code {
        self.row().3
    }

    fn by_name(name: &str) -> Option<Code> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// What a bare gRPC code of a foreign server means to us.
    pub fn from_grpc(code: tonic::Code) -> Code {
        use tonic::Code as Grpc;
        match code {
            Grpc::InvalidArgument | Grpc::OutOfRange => Code::InvalidArgument,
            Grpc::FailedPrecondition | Grpc::Aborted | Grpc::AlreadyExists => Code::Conflict,
            Grpc::Unauthenticated => Code::Unauthenticated,
            Grpc::PermissionDenied => Code::Forbidden,
            Grpc::NotFound => Code::NotFound,
            Grpc::ResourceExhausted => Code::RateLimited,
            Grpc::Cancelled => Code::Cancelled,
            Grpc::Unimplemented => Code::Unimplemented,
            Grpc::Unavailable => Code::Unavailable,
            Grpc::DeadlineExceeded => Code::DeadlineExceeded,
            Grpc::Ok | Grpc::Unknown | Grpc::Internal | Grpc::DataLoss => Code::Internal,
        }
    }
}

/// One thing wrong with a request, and where: `pointer` is a JSON pointer (RFC 6901) into the body, or `/name` of a
/// parameter. `extras` are members beside the two, such as `available`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    pub pointer: String,
    pub detail: String,
    #[serde(flatten)]
    pub extras: Map<String, Value>,
}

impl Violation {
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Violation {
        Violation { pointer: pointer.into(), detail: detail.into(), extras: Map::new() }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Violation {
        self.extras.insert(name.to_owned(), value.into());
        self
    }
}

/// An error that may be shown: its code and message are public, its source is not.
pub struct Error(Box<Parts>);

struct Parts {
    code: Code,
    reason: Cow<'static, str>,
    message: Cow<'static, str>,
    violations: Vec<Violation>,
    extras: Map<String, Value>,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

impl Error {
    /// `reason` is the `code` that clients read (`out_of_stock`), `message` a sentence for people.
    pub fn new(
        code: Code,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Error {
        Error(Box::new(Parts {
            code,
            reason: reason.into(),
            message: message.into(),
            violations: Vec::new(),
            extras: Map::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// An error whose reason is the code's own name.
    pub fn of(code: Code, message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(code, code.as_str(), message)
    }

    /// Something broke here. Nothing of the cause leaves the process.
    pub fn internal(source: impl Into<BoxError>) -> Error {
        Error::of(Code::Internal, "something went wrong on our side").caused_by(source)
    }

    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Error {
        Error::of(Code::NotFound, message)
    }

    /// A request with these faults; there is at least one.
    pub fn invalid(violations: Vec<Violation>) -> Error {
        let message = match violations.as_slice() {
            [one] if one.pointer.is_empty() => format!("the body {}", one.detail),
            [one] => format!("{}: {}", one.pointer, one.detail),
            many => format!("{} values are not valid", many.len()),
        };
        let mut error = Error::of(Code::InvalidArgument, message);
        error.0.violations = violations;
        error
    }

    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Error {
        Error::of(Code::Unavailable, message).retry_after(Duration::from_secs(1))
    }

    pub fn violations(mut self, violations: Vec<Violation>) -> Error {
        self.0.violations = violations;
        self
    }

    /// A member of the problem beside the standard ones, such as `state` or `decline_code`.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Error {
        self.0.extras.insert(name.to_owned(), value.into());
        self
    }

    pub fn retry_after(mut self, after: Duration) -> Error {
        self.0.retry_after = Some(after);
        self
    }

    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    pub fn code(&self) -> Code {
        self.0.code
    }

    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn faults(&self) -> &[Violation] {
        &self.0.violations
    }

    pub fn extra(&self, name: &str) -> Option<&Value> {
        self.0.extras.get(name)
    }

    pub fn retry(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The error and its causes in one line, for the log.
    pub fn chain(&self) -> String {
        chain(self)
    }

    /// The body of an `application/problem+json` answer (RFC 9457).
    pub fn problem(&self, instance: &str, trace_id: &str) -> Value {
        let parts = &*self.0;
        let mut problem = parts.extras.clone();
        problem.insert("type".into(), json!("about:blank"));
        problem.insert("title".into(), json!(self.title()));
        problem.insert("status".into(), json!(parts.code.http()));
        problem.insert("detail".into(), json!(parts.message));
        problem.insert("instance".into(), json!(instance));
        problem.insert("code".into(), json!(parts.reason));
        problem.insert("trace_id".into(), json!(trace_id));
        if !parts.violations.is_empty() {
            problem.insert("errors".into(), json!(parts.violations));
        }
        Value::Object(problem)
    }

    /// `out_of_stock` reads "Out of stock"; a bare code has its own title.
    fn title(&self) -> String {
        if self.0.reason == self.0.code.as_str() {
            return self.0.code.row().4.to_owned();
        }
        let mut title = self.0.reason.replace('_', " ");
        if let Some(first) = title.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        title
    }
}

/// An error and its causes in one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.message, self.0.reason)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

// On RPC the parts travel as google.rpc.ErrorInfo (reason, and the rest as metadata) and google.rpc.RetryInfo.
const DOMAIN: &str = "rpc";
const KIND: &str = "kind";
const ERRORS: &str = "errors";
const EXTRAS: &str = "extras";

impl From<Error> for tonic::Status {
    fn from(error: Error) -> tonic::Status {
        let parts = *error.0;
        let mut metadata = BTreeMap::from([(KIND, parts.code.as_str().to_owned())]);
        if !parts.violations.is_empty() {
            metadata.insert(ERRORS, json!(parts.violations).to_string());
        }
        if !parts.extras.is_empty() {
            metadata.insert(EXTRAS, Value::Object(parts.extras).to_string());
        }
        let metadata: std::collections::HashMap<String, String> =
            metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut details = ErrorDetails::with_error_info(parts.reason, DOMAIN, metadata);
        if let Some(after) = parts.retry_after {
            details.set_retry_info(Some(after));
        }
        let mut status =
            tonic::Status::with_error_details(parts.code.grpc(), parts.message.into_owned(), details);
        if let Some(source) = parts.source {
            status.set_source(source.into());
        }
        status
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Error {
        let details = status.get_error_details();
        let mut error = match details.error_info() {
            Some(info) => {
                let code = info.metadata.get(KIND).and_then(|kind| Code::by_name(kind));
                let code = code.unwrap_or_else(|| Code::from_grpc(status.code()));
                let mut error = Error::new(code, info.reason.clone(), status.message().to_owned());
                error.0.violations = parse(info.metadata.get(ERRORS));
                error.0.extras = parse(info.metadata.get(EXTRAS));
                error
            }
            None => Error::from_bare(&status),
        };
        error.0.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        if error.0.code == Code::Unavailable && error.0.retry_after.is_none() {
            error.0.retry_after = Some(Duration::from_secs(1));
        }
        error.caused_by(status)
    }
}

impl Error {
    /// A status without our details comes from a transport or a foreign server: its text is not for the public.
    fn from_bare(status: &tonic::Status) -> Error {
        match Code::from_grpc(status.code()) {
            Code::Internal | Code::Unimplemented => {
                Error::of(Code::Internal, "something went wrong on our side")
            }
            code @ (Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled) => {
                Error::of(code, code.row().4.to_ascii_lowercase())
            }
            code => Error::of(code, status.message().to_owned()),
        }
    }
}

fn parse<T: Default + serde::de::DeserializeOwned>(text: Option<&String>) -> T {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_codes() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, index, "{}", row.1);
        }
    }

    #[test]
    fn an_error_survives_the_way_over_rpc() {
        let sent = || {
            Error::new(Code::Conflict, "out_of_stock", "1 of 2 lines cannot be served")
                .violations(vec![Violation::new("/items/0/quantity", "3 left").with("available", 3)])
                .with("state", "paid")
                .retry_after(Duration::from_secs(2))
                .caused_by("a private matter")
        };
        let status = tonic::Status::from(sent());
        assert_eq!(status.code(), tonic::Code::Aborted);
        let got = Error::from(status);
        assert_eq!(got.problem("/v1/orders", "abc"), sent().problem("/v1/orders", "abc"));
        assert_eq!(got.retry(), Some(Duration::from_secs(2)));
        assert!(!got.problem("", "").to_string().contains("private"));
    }

    #[test]
    fn a_foreign_status_does_not_leak_its_text() {
        let got = Error::from(tonic::Status::internal("select * from secrets"));
        assert_eq!(got.code(), Code::Internal);
        assert!(!got.problem("", "").to_string().contains("secrets"));
        assert!(got.chain().contains("secrets"));
    }

    #[test]
    fn a_single_fault_is_told_in_the_detail() {
        let detail = |pointer: &str, fault: &str| {
            Error::invalid(vec![Violation::new(pointer, fault)]).message().to_owned()
        };
        assert_eq!(detail("/name", "is required"), "/name: is required");
        assert_eq!(detail("", "must be a JSON object"), "the body must be a JSON object");
    }

    #[test]
    fn titles_come_from_the_reason() {
        let error = Error::new(Code::Conflict, "out_of_stock", "none left");
        assert_eq!(error.problem("", "")["title"], "Out of stock");
        assert_eq!(Error::not_found("no such order").problem("", "")["title"], "Not found");
    }
}
