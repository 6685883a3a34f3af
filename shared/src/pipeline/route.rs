//! The axum door: a route's list around its handler. The handler is erased once, so that the future is compiled once for
//! a state and not once a handler.

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body as AxumBody;
use axum::handler::Handler;
use futures_core::future::BoxFuture;
use http::{Request, Response};
use pin_project_lite::pin_project;

use super::running::{Call, Running};
use super::{Body, Pipeline};

/// A handler behind its list; itself an axum handler.
pub struct Route<S> {
    pipeline: Arc<Pipeline>,
    door: Arc<dyn Door<S>>,
}

impl Pipeline {
    pub fn route<H, T, S>(self: &Arc<Self>, handler: H) -> Route<S>
    where
        H: Handler<T, S> + Sync,
        T: 'static,
        S: Send + 'static,
    {
        Route { pipeline: self.clone(), door: Arc::new(Behind(handler, PhantomData)) }
    }
}

impl<S> Clone for Route<S> {
    fn clone(&self) -> Route<S> {
        Route { pipeline: self.pipeline.clone(), door: self.door.clone() }
    }
}

trait Door<S>: Send + Sync {
    fn call(&self, req: Request<AxumBody>, state: S) -> BoxFuture<'static, Response<AxumBody>>;
}

struct Behind<H, T>(H, PhantomData<fn() -> T>);

impl<H: Handler<T, S> + Sync, T: 'static, S: Send + 'static> Door<S> for Behind<H, T> {
    fn call(&self, req: Request<AxumBody>, state: S) -> BoxFuture<'static, Response<AxumBody>> {
        Box::pin(self.0.clone().call(req, state))
    }
}

pub(super) struct Enter<S>(Arc<dyn Door<S>>, S);

impl<S: 'static> Call<AxumBody> for Enter<S> {
    type Body = AxumBody;
    type Error = Infallible;
    type Future = Sure;

    fn call(self, req: Request<AxumBody>) -> Sure {
        Sure(self.0.call(req, self.1))
    }
}

/// A handler's future: it cannot fail.
pub(super) struct Sure(BoxFuture<'static, Response<AxumBody>>);

impl Future for Sure {
    type Output = Result<Response<AxumBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(task).map(Ok)
    }
}

pin_project! {
    pub struct Handling<S> {
        #[pin]
        running: Running<Enter<S>, AxumBody, Sure>,
    }
}

impl<S: 'static> Future for Handling<S> {
    type Output = Response<AxumBody>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Response<AxumBody>> {
        let Ok(rsp) = ready!(self.project().running.poll(task));
        Poll::Ready(rsp.map(|body| match body {
            Body::Plain { body } => body,
            Body::Made { bytes } => bytes.map_or_else(AxumBody::empty, AxumBody::from),
            watched @ Body::Watched { .. } => AxumBody::new(watched),
        }))
    }
}

impl<S: Clone + Send + Sync + 'static> Handler<(), S> for Route<S> {
    type Future = Handling<S>;

    fn call(self, req: Request<AxumBody>, state: S) -> Handling<S> {
        Handling { running: Running::new(self.pipeline, Enter(self.door, state), req) }
    }
}
