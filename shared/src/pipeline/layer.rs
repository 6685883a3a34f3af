//! The tower door: one list for all requests, or one by path, around any service. For RPC servers and for clients.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::{Layer, Service};

use super::running::{Call, Running};
use super::{Body, Pipeline};

/// Which list a request takes.
#[derive(Clone)]
pub enum Pick {
    One(Arc<Pipeline>),
    /// By path, such as `/package.Service/Method`; and one for what is not known, so that no path makes a new series.
    ByPath(Arc<HashMap<String, Arc<Pipeline>>>, Arc<Pipeline>),
}

impl Pick {
    fn of<B>(&self, req: &Request<B>) -> Arc<Pipeline> {
        match self {
            Pick::One(pipeline) => pipeline.clone(),
            Pick::ByPath(by_path, unknown) => by_path.get(req.uri().path()).unwrap_or(unknown).clone(),
        }
    }
}

impl<S> Layer<S> for Pick {
    type Service = Piped<S>;

    fn layer(&self, inner: S) -> Piped<S> {
        Piped { pick: self.clone(), inner }
    }
}

/// A service behind its lists.
#[derive(Clone)]
pub struct Piped<S> {
    pick: Pick,
    inner: S,
}

/// A service that said it is ready.
pub struct Ready<S>(S);

impl<B, R, S> Call<B> for Ready<S>
where
    R: http_body::Body,
    S: Service<Request<B>, Response = Response<R>>,
{
    type Body = R;
    type Error = S::Error;
    type Future = S::Future;

    fn call(mut self, req: Request<B>) -> S::Future {
        self.0.call(req)
    }
}

impl<B, R, S> Service<Request<B>> for Piped<S>
where
    R: http_body::Body,
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Response = Response<Body<R>>;
    type Error = S::Error;
    type Future = Running<Ready<S>, B, S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        // The clone is not ready; the one that is goes with the request.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        Running::new(self.pick.of(&req), Ready(ready), req)
    }
}
