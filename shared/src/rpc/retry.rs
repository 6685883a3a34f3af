//! One more attempt, on another endpoint: for methods whose contract says that they may be sent twice, and for
//! connections that were refused. Within a budget, and never for lack of time: the call's deadline is around it.

use std::collections::HashSet;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tower::Service;

use super::balancer::{Avoid, Balancer, Unreachable, Went};
use super::methods::Method;
use crate::error::BoxError;
use crate::guard::budget::RetryBudget;
use crate::pipeline;
use crate::pipeline::protocol::GRPC_STATUS;

#[derive(Clone)]
pub(super) struct Retry {
    balancer: Balancer,
    rules: Arc<Rules>,
}

struct Rules {
    on: bool,
    idempotent: HashSet<String>,
    uploads: HashSet<String>,
    budget: RetryBudget,
}

type Answer = Response<pipeline::Body<Body>>;

impl Retry {
    pub(super) fn new(balancer: Balancer, methods: &[Method], on: bool) -> Retry {
        let paths = |wanted: fn(&&Method) -> bool| {
            methods.iter().filter(wanted).map(|method| method.path.clone()).collect()
        };
        let rules = Rules {
            on,
            idempotent: paths(|method| method.idempotent),
            uploads: paths(|method| method.uploads),
            budget: RetryBudget::default(),
        };
        Retry { balancer, rules: Arc::new(rules) }
    }

    async fn attempt(mut self, req: Request<Body>) -> Result<Answer, BoxError> {
        let path = req.uri().path();
        if !self.rules.on || self.rules.uploads.contains(path) {
            return self.balancer.call(req).await;
        }
        self.rules.budget.called();
        let idempotent = self.rules.idempotent.contains(path);
        // One message, which is in memory already.
        let (head, body) = req.into_parts();
        let body = body.collect().await?.to_bytes();
        let request = |avoid: Option<Avoid>| {
            let mut req = Request::from_parts(head.clone(), Body::new(Full::new(body.clone())));
            if let Some(avoid) = avoid {
                req.extensions_mut().insert(avoid);
            }
            req
        };
        let first = self.balancer.call(request(None)).await;
        match failed_at(&first, idempotent) {
            Some(address) if self.rules.budget.withdraw() => {
                tracing::debug!(address, "an attempt failed, trying another endpoint");
                self.balancer.call(request(Some(Avoid(address)))).await
            }
            _ => first,
        }
    }
}

/// Where the attempt failed, if it may be repeated.
fn failed_at(attempt: &Result<Answer, BoxError>, idempotent: bool) -> Option<String> {
    match attempt {
        Ok(rsp) => {
            let status = rsp.headers().get(&GRPC_STATUS)?;
            let unavailable = tonic::Code::from_bytes(status.as_bytes()) == tonic::Code::Unavailable;
            (idempotent && unavailable).then(|| rsp.extensions().get::<Went>().map(|went| went.0.clone()))?
        }
        Err(error) => {
            let unreachable = error.downcast_ref::<Unreachable>()?;
            (idempotent || unreachable.is_refused()).then(|| unreachable.address.clone())
        }
    }
}

impl Service<Request<Body>> for Retry {
    type Response = Answer;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Answer, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Body>) -> Self::Future {
        Box::pin(self.clone().attempt(req))
    }
}
