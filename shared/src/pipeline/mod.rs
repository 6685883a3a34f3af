//! The pipeline of a request: a list of concerns, and one future that runs it. The same list serves HTTP in, RPC in and
//! calls out; [`protocol`] is the one file that knows HTTP from gRPC.
//!
//! **The law of pairs**: a concern whose `admit` said `Go`, `Again` or `Later` hears `done` exactly once, whatever
//! becomes of the request: answered, refused further in, late, panicked, broken half-way, or left by its client. One that
//! said `Refuse` or `Answer` when it was first asked does not. `done` runs innermost first, after the inner work is gone.
//!
//! Recover and timeout are ordinary entries: the future does the catching and the sleeping, so where they stand decides
//! what they tell, not what they cover. What calls the inner service more than once, or rewrites a body, is no concern
//! but a `tower::Layer` between two lists.

pub mod ambient;

mod body;
mod context;
mod header;
mod layer;
pub mod protocol;
mod refusal;
mod route;
mod running;

pub mod access_log;
pub mod auth;
pub mod metrics;
pub mod recover;
pub mod timeout;
pub mod trace;

use std::sync::Arc;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{HeaderMap, Response, StatusCode, request};

pub use body::Body;
pub use context::{Cx, End, Outcome};
pub use header::value as header_value;
pub use layer::{Pick, Piped};
pub use protocol::Protocol;
pub use refusal::Refusal;
pub use route::{Route, place};

/// Whose side of a call a pipeline is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Server,
    Client,
}

/// One concern of a pipeline. It is built once for a route, so it holds the route's names, limits and metric handles.
pub trait Concern: Send + Sync + 'static {
    /// As the golden test of the lists prints it.
    fn name(&self) -> &'static str;

    /// On the way in, outermost first.
    fn admit(&self, _cx: &mut Cx, _head: &mut request::Parts) -> Admit {
        Admit::Go
    }

    /// The head of the answer on its way out, innermost first. Asked only of concerns that say [`answers`](Self::answers).
    fn answer(&self, _cx: &mut Cx, _head: &mut Answer<'_>) {}

    /// When the outcome is known.
    fn done(&self, _cx: &mut Cx, _outcome: &Outcome) {}

    fn answers(&self) -> bool {
        false
    }

    /// Only [`recover::Recover`].
    fn catches_panics(&self) -> bool {
        false
    }
}

/// What a concern says to a request.
pub enum Admit {
    Go,
    /// Ask me again after one turn of the executor.
    Again,
    /// I must wait for this; the deadline covers it.
    Later(BoxFuture<'static, Result<(), Refusal>>),
    Refuse(Refusal),
    /// An answer without the inner service, such as a CORS preflight's.
    Answer(Box<Response<Bytes>>),
}

/// The head of an answer.
pub struct Answer<'a> {
    pub status: StatusCode,
    pub headers: &'a mut HeaderMap,
}

/// The most concerns of one list.
pub const MOST: usize = 16;

/// A list of concerns, outermost first. Built at start, once for each route or method.
pub struct Pipeline {
    list: Box<[Arc<dyn Concern>]>,
    service: &'static str,
    side: Side,
    protocol: Protocol,
    catches: bool,
    /// Those of the list that answer, a bit each.
    answers: u16,
}

impl Pipeline {
    /// `service` is what log lines inside of it carry.
    pub fn of(service: &'static str, side: Side, protocol: Protocol) -> Builder {
        Builder { list: Vec::new(), service, side, protocol }
    }

    /// The names of the list, outermost first.
    pub fn names(&self) -> Vec<&'static str> {
        self.list.iter().map(|concern| concern.name()).collect()
    }
}

/// Writes a list down, one line a concern.
pub struct Builder {
    list: Vec<Arc<dyn Concern>>,
    service: &'static str,
    side: Side,
    protocol: Protocol,
}

impl Builder {
    /// A concern of this route alone; `on` is its switch.
    pub fn on(mut self, on: bool, concern: impl Concern) -> Builder {
        if on {
            self.list.push(Arc::new(concern));
        }
        self
    }

    /// A concern that can only be made where it is wanted.
    pub fn maybe(self, concern: Option<impl Concern>) -> Builder {
        match concern {
            Some(concern) => self.on(true, concern),
            None => self,
        }
    }

    /// A concern that several lists share, such as a limit for the whole process.
    pub fn shared(mut self, on: bool, concern: &Arc<impl Concern>) -> Builder {
        if on {
            self.list.push(concern.clone());
        }
        self
    }

    /// The concerns that a contract names.
    pub fn all(mut self, more: &[Arc<dyn Concern>]) -> Builder {
        self.list.extend_from_slice(more);
        self
    }

    /// # Panics
    /// With more than [`MOST`] concerns.
    pub fn build(self) -> Arc<Pipeline> {
        assert!(self.list.len() <= MOST, "a pipeline has at most {MOST} concerns");
        Arc::new(Pipeline {
            catches: self.list.iter().any(|concern| concern.catches_panics()),
            answers: bits(self.list.iter().map(|concern| concern.answers())),
            list: self.list.into(),
            service: self.service,
            side: self.side,
            protocol: self.protocol,
        })
    }
}

/// The first is the lowest.
fn bits(flags: impl Iterator<Item = bool>) -> u16 {
    flags.zip(0..MOST).fold(0, |bits, (flag, at)| bits | u16::from(flag) << at)
}
