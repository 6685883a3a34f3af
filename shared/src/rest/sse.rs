//! Server-sent events (WHATWG HTML, 9.2): a stream without an end, which stays alive by comments while nothing happens,
//! and ends when its server drains, so that its client comes back to another one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http_body::Frame;
use serde::Serialize;
use tokio::time::{Instant, Sleep};

use super::extract::Surroundings;
use crate::error::{Error, Result};

/// Proxies that collect answers before they pass them on are asked not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What a route with `sse: true` answers with. The stream is dropped when the client goes away.
pub struct Events(BoxStream<'static, Event>);

impl Events {
    pub fn new(stream: impl Stream<Item = Event> + Send + 'static) -> Events {
        Events(Box::pin(stream))
    }

    pub(super) fn respond(self, around: &Surroundings) -> Response {
        let lifecycle = around.lifecycle.clone();
        let lines = Lines {
            events: self.0,
            drained: Box::pin(async move { lifecycle.draining().await }),
            beat: Box::pin(tokio::time::sleep(around.heartbeat)),
            every: around.heartbeat,
            ended: false,
        };
        let mut rsp = Response::new(Body::new(lines));
        let headers = rsp.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
        rsp
    }
}

/// One event, written out when it is made.
pub struct Event(BytesMut);

impl Event {
    /// `name` is the type that clients listen to; the data is `data` as JSON.
    pub fn json(name: &str, data: &impl Serialize) -> Result<Event> {
        let data = serde_json::to_string(data).map_err(Error::internal)?;
        let mut lines = BytesMut::with_capacity(data.len() + name.len() + 40);
        field(&mut lines, "event", name);
        field(&mut lines, "data", &data);
        Ok(Event(lines))
    }

    /// What the client sends as `Last-Event-ID` when it comes back.
    pub fn id(mut self, id: impl std::fmt::Display) -> Event {
        let mut lines = BytesMut::with_capacity(self.0.len() + 24);
        field(&mut lines, "id", &id.to_string());
        lines.unsplit(self.0);
        self.0 = lines;
        self
    }

    fn into_bytes(mut self) -> Bytes {
        self.0.put_u8(b'\n');
        self.0.freeze()
    }
}

/// A line break in a value would be a new field.
fn field(lines: &mut BytesMut, name: &str, value: &str) {
    for line in value.split(['\r', '\n']) {
        lines.put_slice(name.as_bytes());
        lines.put_slice(b": ");
        lines.put_slice(line.as_bytes());
        lines.put_u8(b'\n');
    }
}

struct Lines {
    events: BoxStream<'static, Event>,
    drained: BoxFuture<'static, ()>,
    beat: Pin<Box<Sleep>>,
    every: Duration,
    ended: bool,
}

impl http_body::Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if this.ended || this.drained.as_mut().poll(task).is_ready() {
            this.ended = true;
            return Poll::Ready(None);
        }
        let line = match this.events.as_mut().poll_next(task) {
            Poll::Ready(Some(event)) => event.into_bytes(),
            Poll::Ready(None) => {
                this.ended = true;
                return Poll::Ready(None);
            }
            Poll::Pending => {
                ready!(this.beat.as_mut().poll(task));
                Bytes::from_static(b":\n\n")
            }
        };
        this.beat.as_mut().reset(Instant::now() + this.every);
        Poll::Ready(Some(Ok(Frame::data(line))))
    }
}
