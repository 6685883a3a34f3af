//! Connections to one peer, and answers read whole: the deadline and the lists around cover the body with the head.

use std::future::Future;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::{self, Client, connect::HttpConnector};
use hyper_util::rt::TokioTimer;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower::Service;

use super::client::Conf;
use crate::error::BoxError;
use crate::lifecycle::Lifecycle;
use crate::pipeline::Refusal;

/// Why there is no answer. No text repeats what was sent or came back.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Nothing was sent.
    #[error("there was no connection")]
    Unconnected(#[source] legacy::Error),
    #[error("the connection broke before the answer was whole")]
    Broken(#[source] BoxError),
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// By our own lists.
    #[error("{}", .0.detail)]
    Refused(Refusal),
}

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Transport {
    hyper: Client<HttpConnector, Full<Bytes>>,
    /// Of it, no connection is ever reused.
    anew: Client<HttpConnector, Full<Bytes>>,
    calls: TaskTracker,
    max_bytes: usize,
}

impl Transport {
    pub(super) fn new(conf: &Conf, lifecycle: &Lifecycle) -> Transport {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(conf.connect_timeout));
        connector.set_nodelay(true);
        let calls = TaskTracker::new();
        let mut builder = Client::builder(Owned { lifecycle: lifecycle.clone(), calls: calls.clone() });
        builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(conf.idle_timeout);
        Transport {
            hyper: builder.pool_max_idle_per_host(conf.max_idle).build(connector.clone()),
            anew: builder.pool_max_idle_per_host(0).build(connector),
            calls,
            max_bytes: conf.max_bytes,
        }
    }

    /// Likewise, on a new connection: one that the peer has closed is not found by trying the next of the pool.
    pub(super) fn anew(&self) -> Transport {
        Transport { hyper: self.anew.clone(), ..self.clone() }
    }

    /// While it is held, connections outlive the stop of the lifecycle's tasks.
    pub(super) fn busy(&self) -> TaskTrackerToken {
        self.calls.token()
    }

    async fn send(self, req: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Failure> {
        let rsp = self.hyper.request(req).await.map_err(|error| match error.is_connect() {
            true => Failure::Unconnected(error),
            false => Failure::Broken(error.into()),
        })?;
        let (head, body) = rsp.into_parts();
        // Before the first byte is read, where it says how long it is.
        if body.size_hint().lower() > self.max_bytes as u64 {
            return Err(Failure::TooLarge(self.max_bytes));
        }
        match Limited::new(body, self.max_bytes).collect().await {
            Ok(whole) => Ok(Response::from_parts(head, Full::new(whole.to_bytes()))),
            Err(error) if error.is::<LengthLimitError>() => Err(Failure::TooLarge(self.max_bytes)),
            Err(error) => Err(Failure::Broken(error)),
        }
    }
}

impl Service<Request<Full<Bytes>>> for Transport {
    type Response = Response<Full<Bytes>>;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Response<Full<Bytes>>, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Full<Bytes>>) -> Self::Future {
        Box::pin(self.clone().send(req))
    }
}

/// Connections are tasks of the lifecycle. When it stops, they end as soon as the last call has: a background task may
/// finish what it is about.
#[derive(Clone)]
struct Owned {
    lifecycle: Lifecycle,
    calls: TaskTracker,
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Owned {
    fn execute(&self, connection: F) {
        let Owned { lifecycle, calls } = self.clone();
        self.lifecycle.spawn_job(async move {
            let over = async {
                lifecycle.stopping().await;
                calls.close();
                calls.wait().await;
            };
            tokio::select! {
                () = connection => {}
                () = over => {}
            }
        });
    }
}
