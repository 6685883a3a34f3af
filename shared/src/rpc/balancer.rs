//! The balancer: of two endpoints taken by chance the one with the lower load. Picking takes no lock. The last known
//! endpoints stay when discovery loses them all: a wrong address fails, no address certainly does.

use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use futures_core::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::watch;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use super::endpoint::Endpoint;
use crate::clock;
use crate::discovery::Addresses;
use crate::error::BoxError;
use crate::guard::load;
use crate::lifecycle::Lifecycle;
use crate::pipeline;

/// The address of the attempt before, which a retry avoids.
#[derive(Debug, Clone)]
pub(super) struct Avoid(pub(super) String);

/// Which address an attempt went to: in the extensions of its answer.
#[derive(Debug, Clone)]
pub(super) struct Went(pub(super) String);

#[derive(Clone)]
pub(super) struct Balancer {
    endpoints: Arc<ArcSwap<Vec<Arc<Endpoint>>>>,
    changed: watch::Receiver<()>,
}

impl Balancer {
    /// Follows `addresses` until the lifecycle stops.
    pub(super) fn new(mut addresses: watch::Receiver<Addresses>, lifecycle: &Lifecycle) -> Balancer {
        let service = lifecycle.name();
        let endpoints = Arc::new(ArcSwap::from_pointee(Vec::new()));
        let (tell, changed) = watch::channel(());
        adopt(service, &endpoints, &addresses.borrow_and_update().clone());
        let (followed, owner) = (endpoints.clone(), lifecycle.clone());
        lifecycle.spawn("follow endpoints", async move {
            loop {
                tokio::select! {
                    changed = addresses.changed() => if changed.is_err() {
                        // A fixed list: its sender is gone, and nothing will change.
                        owner.stopping().await;
                        return Ok::<(), BoxError>(());
                    },
                    () = owner.stopping() => return Ok(()),
                }
                adopt(service, &followed, &addresses.borrow_and_update().clone());
                tell.send_replace(());
            }
        });
        Balancer { endpoints, changed }
    }

    fn pick(&self, avoid: Option<&Avoid>) -> Option<Arc<Endpoint>> {
        let all = self.endpoints.load();
        let is_other = |endpoint: &Endpoint| avoid.is_none_or(|avoid| avoid.0 != endpoint.address);
        let first = match all.as_slice() {
            [] => return None,
            [only] => only,
            many => {
                let a = fastrand::usize(..many.len());
                let b = (a + fastrand::usize(1..many.len())) % many.len();
                match (is_other(&many[a]), is_other(&many[b])) {
                    (true, false) => &many[a],
                    (false, true) => &many[b],
                    _ => load::lighter(&many[a], &many[b], clock::tick(), |endpoint| &endpoint.load),
                }
            }
        };
        Some(first.clone())
    }

    /// Waits for an endpoint to appear; the call's deadline ends the wait.
    async fn found(mut self, avoid: Option<Avoid>) -> Result<Arc<Endpoint>, BoxError> {
        loop {
            self.changed.borrow_and_update();
            if let Some(endpoint) = self.pick(avoid.as_ref()) {
                return Ok(endpoint);
            }
            self.changed.changed().await.map_err(|_| "the client has stopped")?;
        }
    }
}

/// Keeps the endpoints that are still listed, with their loads and connections; makes the new ones.
fn adopt(service: &'static str, endpoints: &ArcSwap<Vec<Arc<Endpoint>>>, addresses: &[String]) {
    if addresses.is_empty() {
        return;
    }
    let before = endpoints.load();
    let mut averages: Vec<f64> = before.iter().map(|endpoint| endpoint.load.average()).collect();
    averages.sort_by(f64::total_cmp);
    let median = averages.get(averages.len() / 2).copied().unwrap_or(0.0);
    let mut after = Vec::with_capacity(addresses.len());
    for address in addresses {
        match before.iter().find(|endpoint| endpoint.address == *address) {
            Some(known) => after.push(known.clone()),
            None => match Endpoint::new(service, address, median) {
                Ok(endpoint) => after.push(Arc::new(endpoint)),
                Err(error) => tracing::warn!(address, error, "not an address, left out"),
            },
        }
    }
    endpoints.store(Arc::new(after));
}

impl Service<Request<Body>> for Balancer {
    type Response = Response<pipeline::Body<Body>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Body>) -> Self::Future {
        let balancer = self.clone();
        Box::pin(async move {
            let avoid = req.extensions().get::<Avoid>().cloned();
            let endpoint = balancer.found(avoid).await?;
            let sent = endpoint.channel.clone().oneshot(req).await;
            let mut rsp = sent.map_err(|source| Unreachable { address: endpoint.address.clone(), source })?;
            rsp.extensions_mut().insert(Went(endpoint.address.clone()));
            Ok(rsp)
        })
    }
}

/// An attempt never became an answer.
#[derive(Debug, thiserror::Error)]
#[error("{address} cannot be reached")]
pub(super) struct Unreachable {
    pub(super) address: String,
    source: tonic::transport::Error,
}

impl Unreachable {
    /// Nothing was sent, so whatever the method is, it may be sent again.
    pub(super) fn is_refused(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&self.source);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<std::io::Error>() {
                return error.kind() == std::io::ErrorKind::ConnectionRefused;
            }
            cause = error.source();
        }
        false
    }
}
