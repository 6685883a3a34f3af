//! The balancer: of two endpoints taken by chance the one with the lower load. Picking takes no lock. The last known
//! endpoints stay when discovery loses them all: a wrong address fails, no address certainly does.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_core::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use super::endpoint::Endpoint;
use crate::clock;
use crate::discovery::Addresses;
use crate::error::BoxError;
use crate::guard::load;
use crate::lifecycle::Lifecycle;
use crate::pipeline::{self, ambient};

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
    patience: Duration,
}

impl Balancer {
    /// Follows `addresses` until the lifecycle stops. `patience` is how long a call waits for the first of them, if its
    /// deadline does not end the wait.
    pub(super) fn new(
        mut addresses: watch::Receiver<Addresses>,
        patience: Duration,
        lifecycle: &Lifecycle,
    ) -> Balancer {
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
        Balancer { endpoints, changed, patience }
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

    /// Waits for the first endpoint to appear. Gives up so long before the deadline that the caller hears what is wrong, a
    /// service that is not there, and not that something took too long.
    async fn first(mut self) -> Result<Arc<Endpoint>, Status> {
        let patience = Instant::now() + self.patience;
        let deadline = ambient::current().and_then(|ambient| ambient.deadline);
        let deadline = deadline.map(|deadline| clock::instant(deadline.saturating_sub(MARGIN_NS)));
        let end = deadline.map_or(patience, |deadline| deadline.min(patience));
        loop {
            self.changed.borrow_and_update();
            if let Some(endpoint) = self.pick(None) {
                return Ok(endpoint);
            }
            timeout_at(end, self.changed.changed())
                .await
                .map_err(|_| Status::unavailable("no address of the service is known"))?
                .map_err(|_| Status::unavailable("the client has stopped"))?;
        }
    }
}

const MARGIN_NS: u64 = 20_000_000;

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
    if !after.is_empty() {
        endpoints.store(Arc::new(after));
    }
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
            let endpoint = match balancer.pick(avoid.as_ref()) {
                Some(endpoint) => endpoint,
                None => match balancer.first().await {
                    Ok(endpoint) => endpoint,
                    // An answer, since an error so near the deadline counts as one that is late.
                    Err(status) => return Ok(status.into_http()),
                },
            };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::Shutdown;

    fn balancer(addresses: &[&str]) -> (Balancer, watch::Sender<Addresses>) {
        let list = |addresses: &[&str]| Arc::new(addresses.iter().map(|one| (*one).to_owned()).collect());
        let (tell, told) = watch::channel(list(addresses));
        (Balancer::new(told, Duration::from_secs(1), &Lifecycle::new("test", &Shutdown::default())), tell)
    }

    #[tokio::test]
    async fn the_last_known_endpoints_stay_when_nothing_good_is_listed() {
        let (balancer, _tell) = balancer(&["127.0.0.1:1"]);
        for nothing in [vec![], vec!["no address".to_owned()]] {
            adopt("test", &balancer.endpoints, &nothing);
            assert_eq!(balancer.pick(None).unwrap().address, "127.0.0.1:1");
        }
    }

    #[tokio::test]
    async fn a_retry_goes_elsewhere_where_there_is_an_elsewhere() {
        let (two, _tell) = balancer(&["127.0.0.1:1", "127.0.0.1:2"]);
        let (one, _tell) = balancer(&["127.0.0.1:1"]);
        let avoid = Avoid("127.0.0.1:1".to_owned());
        for _ in 0..50 {
            assert_eq!(two.pick(Some(&avoid)).unwrap().address, "127.0.0.1:2");
        }
        assert_eq!(one.pick(Some(&avoid)).unwrap().address, "127.0.0.1:1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_a_deadline_waits_for_an_address_and_not_for_ever() {
        let (balancer, _tell) = balancer(&[]);
        let told = balancer.first().await.err().unwrap();
        assert_eq!(told.message(), "no address of the service is known");
    }
}
