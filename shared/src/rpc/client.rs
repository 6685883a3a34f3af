//! The RPC client: what a generated client is built on. A call passes its list, then the retry, then the balancer.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::future::BoxFuture;
use http::{Request, Response};
use serde::Deserialize;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::balancer::Balancer;
use super::lists::{self, Middlewares};
use super::methods::methods;
use super::retry::Retry;
use crate::config::duration;
use crate::discovery::{self, Registry};
use crate::error::BoxError;
use crate::lifecycle::Lifecycle;
use crate::pipeline::{Pick, Piped};

/// The keys of a client.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Conf {
    /// The registry's URL: `memory://…`, `fixed://host:port,…`.
    pub registry: String,
    /// Under which key the service registers.
    pub key: String,
    /// Of a call; the request around it may allow less.
    #[serde(with = "duration")]
    pub timeout: Duration,
    pub middlewares: Middlewares,
}

impl Default for Conf {
    fn default() -> Conf {
        Conf {
            registry: String::new(),
            key: String::new(),
            timeout: Duration::from_secs(2),
            middlewares: Middlewares::default(),
        }
    }
}

/// Cheap to clone: `UserClient::new(channel)`.
#[derive(Clone)]
pub struct Channel(Piped<Retry>);

/// Watches the service's addresses and connects to each, for as long as the lifecycle lives. Calls wait for the first
/// address, and are `unavailable` where their time is nearly over without one.
pub async fn connect(
    conf: &Conf,
    descriptors: &[u8],
    lifecycle: &Lifecycle,
) -> Result<Channel, discovery::Error> {
    let addresses = Registry::open(&conf.registry)?.watch(&conf.key).await?;
    let known = methods(descriptors);
    let list = |method| lists::call(lifecycle.name(), &conf.middlewares, conf.timeout, method);
    let by_path: HashMap<_, _> = known.iter().map(|one| (one.path.clone(), list(Some(one)))).collect();
    let pick = Pick::ByPath(Arc::new(by_path), list(None));
    let retry = Retry::new(Balancer::new(addresses, conf.timeout, lifecycle), &known, conf.middlewares.retry);
    Ok(Channel(pick.layer(retry)))
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(task)
    }

    fn call(&mut self, req: Request<Body>) -> Self::Future {
        let call = self.0.call(req);
        Box::pin(async move {
            match call.await {
                Ok(rsp) => Ok(rsp.map(Body::new)),
                // tonic shows a foreign error as UNKNOWN; this is what it means.
                Err(error) => {
                    // What cannot even be written down is the caller's fault.
                    let status = error.downcast::<Status>().map_or_else(unreachable, |status| *status);
                    Err(status.into())
                }
            }
        })
    }
}

fn unreachable(cause: BoxError) -> Status {
    let mut status = Status::unavailable("the service cannot be reached");
    status.set_source(Arc::from(cause));
    status
}
