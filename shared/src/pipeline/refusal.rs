//! A concern's no: what [`protocol`](super::protocol) makes a problem or a gRPC status of.

use std::time::Duration;

use super::Admit;
use crate::error::{Code, Error};

/// Made of constants, so that refusing is cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    /// The `code` that clients read.
    pub reason: &'static str,
    pub detail: &'static str,
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub const fn new(code: Code, reason: &'static str, detail: &'static str) -> Refusal {
        Refusal { code, reason, detail, retry_after: None }
    }

    pub const LATE: Refusal =
        Refusal::new(Code::DeadlineExceeded, "deadline_exceeded", "the request took longer than it may");
    pub const BROKEN: Refusal = Refusal::new(Code::Internal, "internal", "something went wrong on our side");

    pub fn error(&self) -> Error {
        let error = Error::new(self.code, self.reason, self.detail);
        match self.retry_after {
            Some(after) => error.retry_after(after),
            None => error,
        }
    }
}

impl From<Refusal> for Admit {
    fn from(refusal: Refusal) -> Admit {
        Admit::Refuse(refusal)
    }
}
