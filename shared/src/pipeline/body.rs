//! The body of an answer: the inner one untouched, the inner one watched to its end, or one of our own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use super::End;
use super::protocol::{GRPC_STATUS, Protocol};
use super::running::Live;
use crate::clock;
use crate::error::{BoxError, Code};

pin_project! {
    #[project = BodyProjection]
    pub enum Body<B> {
        Plain { #[pin] body: B },
        // Boxed, so that the bodies that need no watching are small.
        Watched { #[pin] body: B, status: u16, live: Option<Box<Live>>, sleep: Option<Pin<Box<Sleep>>> },
        Made { bytes: Option<Bytes> },
    }
}

impl<B: Default> Default for Body<B> {
    fn default() -> Body<B> {
        Body::Plain { body: B::default() }
    }
}

impl<B> http_body::Body for Body<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let (mut body, status, slot, sleep) = match self.project() {
            BodyProjection::Plain { body } => return body.poll_frame(task).map_err(Into::into),
            BodyProjection::Made { bytes } => {
                let bytes = bytes.take().filter(|bytes| !bytes.is_empty());
                return Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))));
            }
            BodyProjection::Watched { body, status, live, sleep } => (body, *status, live, sleep),
        };
        let Some(live) = slot else { return Poll::Ready(None) };
        let mut inner = || live.within(|| body.as_mut().poll_frame(task));
        let polled = if live.catches() {
            catch_unwind(AssertUnwindSafe(inner)).map_err(|_| (End::Panicked, Code::Internal))
        } else {
            Ok(inner())
        };
        let frame = match polled {
            Ok(Poll::Ready(frame)) => Ok(frame),
            Ok(Poll::Pending) => {
                let Some(deadline) = live.cx.deadline else { return Poll::Pending };
                let timer =
                    sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(clock::instant(deadline))));
                ready!(timer.as_mut().poll(task));
                Err((End::TimedOut, Code::DeadlineExceeded))
            }
            Err(end) => Err(end),
        };
        let frame = match frame {
            Ok(frame) => frame.map(|frame| frame.map_err(Into::into)),
            Err((end, code)) => {
                live.finish(end, live.number(code));
                let last = break_off(live.cx.protocol, end, code);
                *slot = None;
                return Poll::Ready(Some(last));
            }
        };
        let protocol = live.cx.protocol;
        let end = match &frame {
            Some(Err(_)) => Some((End::Failed, live.number(Code::Internal))),
            None => Some(protocol.at_end(status, None)),
            Some(Ok(frame)) => match frame.trailers_ref() {
                Some(trailers) => Some(protocol.at_end(status, Some(trailers))),
                // hyper does not poll past the end that a body announces.
                None if protocol == Protocol::Http && body.is_end_stream() => {
                    Some(protocol.at_end(status, None))
                }
                None => None,
            },
        };
        if let Some((end, code)) = end {
            live.finish(end, code);
            *slot = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Plain { body } => body.is_end_stream(),
            Body::Watched { live, .. } => live.is_none(),
            Body::Made { bytes } => bytes.as_ref().is_none_or(Bytes::is_empty),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Plain { body } | Body::Watched { body, .. } => body.size_hint(),
            Body::Made { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
        }
    }
}

/// The head is long gone: gRPC says it in the trailers, HTTP can only break off.
fn break_off(protocol: Protocol, end: End, code: Code) -> Result<Frame<Bytes>, BoxError> {
    match protocol {
        Protocol::Grpc => {
            let number = HeaderValue::from(protocol.number(code));
            Ok(Frame::trailers(HeaderMap::from_iter([(GRPC_STATUS, number)])))
        }
        Protocol::Http => Err(end.as_str().into()),
    }
}
