//! The axum door: a route's list around its handler. The handler is erased once, so that the future is compiled once for
//! a state and not once a handler. A handler may know the *place* it stands in: what its server holds ready for it.

use std::any::Any;
use std::cell::Cell;
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
    place: Option<Place>,
}

/// Made once for a route, so it lives as long as the process.
type Place = &'static (dyn Any + Send + Sync);

thread_local! {
    static PLACE: Cell<Option<Place>> = const { Cell::new(None) };
}

/// What the route of the handler that asks was made with, by [`Route::at`]. Known to the handler and its extractors, in
/// their own task alone.
pub fn place<P: 'static>() -> Option<&'static P> {
    PLACE.get()?.downcast_ref()
}

impl Pipeline {
    pub fn route<H, T, S>(self: &Arc<Self>, handler: H) -> Route<S>
    where
        H: Handler<T, S> + Sync,
        T: 'static,
        S: Send + 'static,
    {
        Route { pipeline: self.clone(), door: Arc::new(Behind(handler, PhantomData)), place: None }
    }
}

impl<S> Route<S> {
    /// An extension of each request would cost it an allocation, and a layer four.
    pub fn at(self, place: &'static (impl Any + Send + Sync)) -> Route<S> {
        Route { place: Some(place), ..self }
    }
}

impl<S> Clone for Route<S> {
    fn clone(&self) -> Route<S> {
        Route { pipeline: self.pipeline.clone(), door: self.door.clone(), place: self.place }
    }
}

trait Door<S>: Send + Sync {
    fn call(&self, req: Request<AxumBody>, state: S) -> BoxFuture<'static, Response<AxumBody>>;
}

struct Behind<H, T>(H, PhantomData<fn() -> T>);

impl<H: Handler<T, S> + Sync, T: 'static, S: Send + 'static> Door<S> for Behind<H, T> {
    fn call(&self, req: Request<AxumBody>, state: S) -> BoxFuture<'static, Response<AxumBody>> {
        let mut future = Some(self.0.clone().call(req, state));
        // The future of an `async fn` is such a box already: axum's own cost, and no second one of ours.
        let boxed = (&mut future as &mut dyn Any).downcast_mut::<Option<BoxFuture<'static, _>>>();
        if let Some(boxed) = boxed.and_then(Option::take) {
            return boxed;
        }
        Box::pin(future.expect("taken above alone"))
    }
}

pub(super) struct Enter<S>(Arc<dyn Door<S>>, S, Option<Place>);

impl<S: 'static> Call<AxumBody> for Enter<S> {
    type Body = AxumBody;
    type Error = Infallible;
    type Future = Sure;

    fn call(self, req: Request<AxumBody>) -> Sure {
        Sure(self.0.call(req, self.1), self.2)
    }
}

/// A handler's future: it cannot fail.
pub(super) struct Sure(BoxFuture<'static, Response<AxumBody>>, Option<Place>);

impl Future for Sure {
    type Output = Result<Response<AxumBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        struct Back(Option<Place>);
        impl Drop for Back {
            fn drop(&mut self) {
                PLACE.set(self.0);
            }
        }
        let _back = Back(PLACE.replace(self.1));
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
        Handling { running: Running::new(self.pipeline, Enter(self.door, state, self.place), req) }
    }
}
