//! The end of a connection whose request was answered before it was read to its end, such as a body that is too large.
//! Nothing else can come over it: [`Watched`] knows that, so that the answer can say so. And if it were closed at once, the
//! system would reset it, and its client, still sending, might never see the answer: [`Lingering`] reads what still comes for
//! a moment, and throws it away.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// A request's body that says when it was read to its end.
pub(crate) struct Watched {
    body: Incoming,
    ended: Arc<AtomicBool>,
}

impl Watched {
    pub(crate) fn new(body: Incoming, ended: Arc<AtomicBool>) -> Watched {
        Watched { body, ended }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(task));
        if frame.is_none() || self.body.is_end_stream() {
            self.ended.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How long a client may go on sending, and how much. A client that hears of the end closes by itself.
const LONGEST: Duration = Duration::from_secs(1);
const MOST_BYTES: usize = 4 << 20;

/// A connection that is read to its end when it is shut down. It tells when so much was heard that what is spoken is
/// known.
pub(crate) struct Lingering {
    stream: TcpStream,
    end: End,
    bytes: usize,
    heard: Arc<AtomicBool>,
}

/// What an HTTP/2 client begins with has so many bytes.
const PREFACE_BYTES: usize = 24;

enum End {
    Open,
    Lingers { left: usize, until: Pin<Box<Sleep>> },
    Over,
}

impl Lingering {
    pub(crate) fn new(stream: TcpStream, heard: Arc<AtomicBool>) -> Lingering {
        Lingering { stream, end: End::Open, bytes: 0, heard }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(task, into);
        if self.bytes < PREFACE_BYTES {
            self.bytes += into.filled().len() - before;
            if self.bytes >= PREFACE_BYTES {
                self.heard.store(true, Ordering::Relaxed);
            }
        }
        read
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Lingering { stream, end, .. } = &mut *self;
        let mut scratch = [MaybeUninit::uninit(); 8192];
        loop {
            match end {
                End::Open => {
                    ready!(Pin::new(&mut *stream).poll_shutdown(task))?;
                    *end = End::Lingers { left: MOST_BYTES, until: Box::pin(tokio::time::sleep(LONGEST)) };
                }
                End::Lingers { left, until } => {
                    let mut read = ReadBuf::uninit(&mut scratch);
                    match Pin::new(&mut *stream).poll_read(task, &mut read) {
                        Poll::Ready(Ok(())) if (1..*left).contains(&read.filled().len()) => {
                            *left -= read.filled().len();
                        }
                        Poll::Ready(_) => *end = End::Over,
                        Poll::Pending => {
                            ready!(until.as_mut().poll(task));
                            *end = End::Over;
                        }
                    }
                }
                End::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(task, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, Lingering) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, Lingering::new(listener.accept().await.unwrap().0, Arc::default()))
    }

    #[tokio::test]
    async fn who_is_still_sending_hears_the_answer() {
        let (mut client, mut server) = pair().await;
        let answering = async {
            server.read_exact(&mut [0; 10]).await.unwrap();
            server.write_all(b"too large").await.unwrap();
            server.shutdown().await.unwrap();
            drop(server);
        };
        let sending = async {
            client.write_all(&vec![b'x'; 1 << 20]).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, "too large");
        };
        tokio::join!(answering, sending);
    }

    #[tokio::test]
    async fn who_never_stops_is_left_after_a_moment() {
        let (mut client, mut server) = pair().await;
        let sending = async { while client.write_all(&[b'x'; 8192]).await.is_ok() {} };
        let answering = async {
            server.shutdown().await.unwrap();
            drop(server);
        };
        tokio::join!(sending, answering);
    }

    #[tokio::test]
    async fn who_says_nothing_is_waited_for_a_moment() {
        let (_client, mut server) = pair().await;
        let started = tokio::time::Instant::now();
        server.shutdown().await.unwrap();
        assert!(started.elapsed() >= LONGEST);
    }
}
