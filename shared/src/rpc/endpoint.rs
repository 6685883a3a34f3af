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
use crate::pipeline::{Admit, Concern, Cx, End, Outcome, Pick, Piped};

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
            .connect_lazy();
        let load = Arc::new(Load::new(average, clock::tick()));
        let pick = Pick::One(lists::endpoint(service, Weigh(load.clone())));
        Ok(Endpoint { address: address.to_owned(), load, channel: pick.layer(channel) })
    }
}

/// Tells the endpoint's load how each attempt went.
pub(super) struct Weigh(Arc<Load>);

impl Concern for Weigh {
    fn name(&self) -> &'static str {
        "load"
    }

    fn admit(&self, _: &mut Cx, _: &mut request::Parts) -> Admit {
        self.0.begin();
        Admit::Go
    }

    fn done(&self, _: &mut Cx, outcome: &Outcome) {
        let took = (outcome.end != End::Cancelled).then_some(outcome.took);
        self.0.end(outcome.now, took, outcome.failed());
    }
}
