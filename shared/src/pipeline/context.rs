//! What the concerns of one request share, and how the request ended.

use super::{MOST, Protocol, Side};
use crate::telemetry::trace::Ids;

/// Lives as long as its request.
pub struct Cx {
    pub protocol: Protocol,
    pub side: Side,
    pub method: http::Method,
    pub(super) path: Option<http::uri::PathAndQuery>,
    /// A [`crate::clock::tick`].
    pub start: u64,
    /// Likewise; the inner work is dropped then.
    pub deadline: Option<u64>,
    pub ids: Ids,
    /// Another concern has written this request's access line.
    pub logged: bool,
    pub(super) at: usize,
    pub(super) notes: [u64; MOST],
}

impl Cx {
    /// The asking concern's own word, from its `admit` to its `done`: a generation, a time. 0 at first.
    pub fn note(&mut self) -> &mut u64 {
        &mut self.notes[self.at]
    }

    /// As it was asked for, without the query.
    pub fn path(&self) -> &str {
        self.path.as_ref().map_or("/", |path| path.path())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    pub end: End,
    /// The HTTP status or the gRPC code, by `protocol`.
    pub code: u16,
    /// A [`crate::clock::tick`].
    pub now: u64,
    /// Nanoseconds.
    pub took: u64,
    pub protocol: Protocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Answered,
    /// The head went out, the body will flow for as long as it likes.
    Streaming,
    /// By a concern.
    Refused,
    TimedOut,
    Panicked,
    /// The inner service or its body broke. An HTTP answer whose body broke after its 200 counts as a 500.
    Failed,
    /// The client went away.
    Cancelled,
}

impl End {
    pub fn as_str(self) -> &'static str {
        match self {
            End::Answered => "answered",
            End::Streaming => "streaming",
            End::Refused => "refused",
            End::TimedOut => "timed_out",
            End::Panicked => "panicked",
            End::Failed => "failed",
            End::Cancelled => "cancelled",
        }
    }
}

impl Outcome {
    /// Whether the fault lies with the one who was called: what breakers and balancers count.
    pub fn failed(&self) -> bool {
        match self.end {
            End::TimedOut | End::Panicked | End::Failed => true,
            End::Cancelled | End::Refused => false,
            End::Answered | End::Streaming => self.protocol.is_failure(self.code),
        }
    }
}
