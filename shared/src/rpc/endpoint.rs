//! One address of a service: its connection, and the load that the balancer compares.

use std::sync::Arc;
use std::time::Duration;

use http::request;
use tonic::transport::{Channel, Endpoint as Address};
use tower::Layer;

use super::lists;
use crate::clock;
use crate::error::BoxError;
use crate::guard::load::Load;
use crate::pipeline::{Admit, Answer, Concern, Cx, End, Outcome, Pick, Piped};

/// A refusal travels in a header, with each fault of a large request.
const MOST_HEADER_BYTES: u32 = 64 << 10;

pub(super) struct Endpoint {
    pub(super) address: String,
    pub(super) load: Arc<Load>,
    /// Cheap to clone; connects before it is asked for, and again after it broke.
    pub(super) channel: Piped<Channel>,
}

impl Endpoint {
    /// `average` is what its load begins with.
    pub(super) fn new(service: &'static str, address: &str, average: f64) -> Result<Endpoint, BoxError> {
        let channel = Address::from_shared(format!("http://{address}"))?
            .connect_timeout(Duration::from_secs(1))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_while_idle(true)
            .http2_max_header_list_size(MOST_HEADER_BYTES)
            .connect_lazy();
        let load = Arc::new(Load::new(average, clock::tick()));
        let pick = Pick::One(lists::endpoint(service, Weigh::of(&load)));
        Ok(Endpoint { address: address.to_owned(), load, channel: pick.layer(channel) })
    }
}

/// Tells the endpoint's load how each attempt went. Its latency is the time to the head of the answer: how long a stream
/// lives says nothing of the endpoint.
pub(super) struct Weigh(Arc<Load>);

impl Weigh {
    pub(super) fn of(load: &Arc<Load>) -> Weigh {
        Weigh(load.clone())
    }
}

impl Concern for Weigh {
    fn name(&self) -> &'static str {
        "load"
    }

    fn admit(&self, _: &mut Cx, _: &mut request::Parts) -> Admit {
        self.0.begin();
        Admit::Go
    }

    fn answers(&self) -> bool {
        true
    }

    fn answer(&self, cx: &mut Cx, _: &mut Answer<'_>) {
        *cx.note() = clock::tick().saturating_sub(cx.start).max(1);
    }

    fn done(&self, cx: &mut Cx, outcome: &Outcome) {
        let took = match (*cx.note(), outcome.end) {
            (0, End::Cancelled) => None,
            (0, _) => Some(outcome.took),
            (to_head, _) => Some(to_head),
        };
        // Push-back is no failure, but who pushes back fast must not look fast.
        let pushes_back = outcome.end == End::Refused || outcome.code == RESOURCE_EXHAUSTED;
        self.0.end(outcome.now, took, outcome.failed() || pushes_back);
    }
}

const RESOURCE_EXHAUSTED: u16 = tonic::Code::ResourceExhausted as u16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
    use http_body::Frame;
    use http_body_util::{BodyExt, StreamBody};
    use tower::ServiceExt;

    use super::*;

    /// An endpoint whose answer ends with this gRPC code, and after that long.
    async fn load_after(code: u16, lives: Duration) -> Arc<Load> {
        let load = Arc::new(Load::default());
        let service = tower::service_fn(move |_: Request<()>| {
            let status =
                HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from(code))]);
            let body = StreamBody::new(futures_util::stream::once(Box::pin(async move {
                tokio::time::sleep(lives).await;
                Ok::<_, BoxError>(Frame::<Bytes>::trailers(status))
            })));
            std::future::ready(Ok::<_, BoxError>(Response::new(body)))
        });
        let piped = Pick::One(lists::endpoint("test", Weigh::of(&load))).layer(service);
        piped.oneshot(Request::new(())).await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(load.in_flight(), 0);
        load
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_lives_long_does_not_look_slow() {
        let hour = Duration::from_secs(3600);
        assert!(load_after(0, hour).await.average() < 1e9);
    }

    #[tokio::test(start_paused = true)]
    async fn who_pushes_back_or_fails_does_not_look_fast() {
        for code in [8, 13, 14] {
            assert!(load_after(code, Duration::ZERO).await.average() >= 1e9, "{code}");
        }
        assert!(load_after(5, Duration::ZERO).await.average() < 1e9, "a business refusal");
    }
}
