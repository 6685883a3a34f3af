//! One more attempt, on a new connection: for routes that may be sent twice, and for what was never sent. Within the
//! peer's budget, and never for lack of time: the call's deadline is around it.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt};

use super::transport::{Failure, Transport};
use crate::error::chain;
use crate::guard::budget::RetryBudget;
use crate::pipeline::{Body, Pick, Refusal};

/// What a route may be sent twice for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    Never,
    WhatWasNotSent,
    WhatBroke,
}

impl Repeats {
    fn allows(self, failure: &Failure) -> bool {
        match failure {
            Failure::Unconnected(_) => self != Repeats::Never,
            Failure::Broken(_) => self == Repeats::WhatBroke,
            Failure::TooLarge(_) | Failure::Refused(_) => false,
        }
    }
}

#[derive(Clone)]
pub(super) struct Retry {
    attempt: Pick,
    transport: Transport,
    repeats: Repeats,
    budget: Arc<RetryBudget>,
}

type Answer = Response<Body<Full<Bytes>>>;

impl Retry {
    pub(super) fn new(
        attempt: Pick,
        transport: Transport,
        repeats: Repeats,
        budget: Arc<RetryBudget>,
    ) -> Retry {
        Retry { attempt, transport, repeats, budget }
    }

    async fn run(self, req: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        if self.repeats == Repeats::Never {
            return self.attempt(self.transport.clone(), req).await;
        }
        self.budget.called();
        let again = req.clone();
        match self.attempt(self.transport.clone(), req).await {
            Err(failure) if self.repeats.allows(&failure) && self.budget.withdraw() => {
                tracing::debug!(cause = chain(&failure), "an attempt failed, trying a new connection");
                self.attempt(self.transport.anew(), again).await
            }
            done => done,
        }
    }

    /// What the attempt's own list refuses is no answer of the peer.
    async fn attempt(&self, transport: Transport, req: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let rsp = self.attempt.layer(transport).oneshot(req).await?;
        match rsp.extensions().get::<Refusal>() {
            Some(refusal) => Err(Failure::Refused(*refusal)),
            None => Ok(rsp),
        }
    }
}

impl Service<Request<Full<Bytes>>> for Retry {
    type Response = Answer;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Answer, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Full<Bytes>>) -> Self::Future {
        Box::pin(self.clone().run(req))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::{Mutex, MutexGuard};
    use std::time::Duration;

    use http::Method;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::error::Code;
    use crate::http_client::{Client, Conf, Route};
    use crate::lifecycle::{Lifecycle, Shutdown};
    use crate::pipeline::timeout::Timeout;
    use crate::pipeline::{Admit, Concern, Cx, End, Outcome, Pipeline, Protocol, Side};

    type Ended = (&'static str, End, u16);
    type Ends = Arc<Mutex<Vec<Ended>>>;

    /// Writes down how a call or an attempt ended.
    struct Spy(&'static str, Ends);

    impl Concern for Spy {
        fn name(&self) -> &'static str {
            self.0
        }

        fn done(&self, _: &mut Cx, outcome: &Outcome) {
            lock(&self.1).push((self.0, outcome.end, outcome.code));
        }
    }

    fn lock(ends: &Ends) -> MutexGuard<'_, Vec<Ended>> {
        ends.lock().unwrap()
    }

    /// As a breaker that is open.
    struct Never;

    const NO: Refusal = Refusal::new(Code::Unavailable, "unavailable", "the peer is unwell");

    impl Concern for Never {
        fn name(&self) -> &'static str {
            "never"
        }

        fn admit(&self, _: &mut Cx, _: &mut http::request::Parts) -> Admit {
            NO.into()
        }
    }

    /// A route whose lists are watched, to a peer that says `words` to each connection and then, perhaps, hangs up.
    async fn route(words: &'static str, hangs_up: bool, refuses: bool) -> (Route, Ends) {
        let lifecycle = Lifecycle::new("test", &Shutdown::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        lifecycle.spawn_job(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.read_u8().await.unwrap();
                stream.write_all(words.as_bytes()).await.unwrap();
                held.extend((!hangs_up).then_some(stream));
            }
        });
        let conf = Conf { url: format!("http://{address}"), ..Conf::default() };
        let client = Client::try_new("peer", &conf, &lifecycle).unwrap();
        let mut route = client.route(Method::GET, "/").idempotent();
        let ends = Ends::default();
        let list = || Pipeline::of("test", Side::Client, Protocol::Http);
        let timeout = Timeout::of(Duration::from_millis(200));
        route.call = list().on(true, Spy("call", ends.clone())).on(true, timeout).build();
        route.attempt = list().on(true, Spy("attempt", ends.clone())).on(refuses, Never).build();
        (route, ends)
    }

    #[tokio::test]
    async fn every_concern_of_both_lists_hears_how_it_ended() {
        use End::{Answered, Failed, Refused, TimedOut};
        let unwell = "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n";
        let cases: [(&str, bool, bool, &[Ended]); 4] = [
            (unwell, false, false, &[("attempt", Answered, 500), ("call", Answered, 500)]),
            ("", true, false, &[("attempt", Failed, 503), ("attempt", Failed, 503), ("call", Failed, 503)]),
            ("", false, false, &[("attempt", TimedOut, 504), ("call", TimedOut, 504)]),
            ("", true, true, &[("attempt", Refused, 503), ("call", Failed, 503)]),
        ];
        for (words, hangs_up, refuses, expected) in cases {
            let (route, ends) = route(words, hangs_up, refuses).await;
            let answer = route.to("/").send().await;
            assert_eq!(*lock(&ends), expected);
            assert_eq!(answer.is_ok(), words == unwell);
            if refuses {
                assert_eq!(answer.err().unwrap().message(), NO.detail);
            }
        }
    }

    #[tokio::test]
    async fn every_concern_of_both_lists_hears_that_the_caller_went_away() {
        let (route, ends) = route("", false, false).await;
        let brief = tokio::time::timeout(Duration::from_millis(50), route.to("/").send());
        assert!(brief.await.is_err());
        assert_eq!(*lock(&ends), [("attempt", End::Cancelled, 499), ("call", End::Cancelled, 499)]);
    }
}
