//! The accept loop behind every listening port: REST, RPC, admin. HTTP/1.1 and HTTP/2 without TLS on one port. A stop
//! loses nothing that was accepted: answers ask for `Connection: close` while the service leaves, HTTP/2 gets its GOAWAY,
//! and only then the listener closes. An answer that came before its request was read asks for it too.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::config::duration;
use crate::error::BoxError;
use crate::lifecycle::Lifecycle;
use crate::linger::{Lingering, Watched};

/// `Connections:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Connections {
    /// More wait in the kernel's queue.
    pub most: usize,
    /// For the head of a request, so that a slow or silent sender holds no connection for ever.
    #[serde(with = "duration")]
    pub header_timeout: Duration,
    /// How often an HTTP/2 peer is asked whether it is still there.
    #[serde(with = "duration")]
    pub ping: Duration,
}

impl Default for Connections {
    fn default() -> Connections {
        Connections { most: 10_000, header_timeout: Duration::from_secs(10), ping: Duration::from_secs(30) }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("port {port} of {host} is taken by another program; stop it, or choose another port")]
    Taken { host: String, port: u16 },
    #[error("cannot listen on {host}:{port}")]
    Unusable { host: String, port: u16, source: io::Error },
}

/// A port that is ours, though nothing is accepted yet. Port 0 takes any free one.
pub async fn bind(host: &str, port: u16) -> Result<TcpListener, Error> {
    let host = host.to_owned();
    TcpListener::bind((host.as_str(), port)).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::Taken { host, port },
        _ => Error::Unusable { host, port, source },
    })
}

/// Serves until the lifecycle drains; returns at once.
pub fn start(
    listener: TcpListener,
    router: axum::Router,
    conf: &Connections,
    lifecycle: &Lifecycle,
) -> io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    lifecycle.listens();
    let (conf, owner) = (conf.clone(), lifecycle.clone());
    lifecycle.spawn(format!("accept {address}"), async move {
        let free = Arc::new(Semaphore::new(conf.most.clamp(1, Semaphore::MAX_PERMITS)));
        while let Some((stream, permit)) = accept(&listener, &free, &owner).await {
            let (router, conf, lifecycle) = (router.clone(), conf.clone(), owner.clone());
            owner.spawn_connection(async move {
                if let Err(error) = connection(stream, router, &conf, &lifecycle).await {
                    tracing::debug!(%error, "a connection broke");
                }
                drop(permit);
            });
        }
        // Closed before the wait, so that nobody is accepted whom nobody will serve.
        drop(listener);
        owner.stopping().await;
        Ok::<(), BoxError>(())
    });
    Ok(address)
}

type Permit = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is room for it; `None` when the lifecycle drains.
async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
    lifecycle: &Lifecycle,
) -> Option<(TcpStream, Permit)> {
    let next = async {
        let permit = free.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((stream, permit)),
                // Out of file descriptors, most likely: those that are open will end.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        next = next => next,
        () = lifecycle.draining() => None,
    }
}

async fn connection(
    stream: TcpStream,
    router: axum::Router,
    conf: &Connections,
    lifecycle: &Lifecycle,
) -> Result<(), BoxError> {
    stream.set_nodelay(true)?;
    let heard = Arc::new(AtomicBool::new(false));
    let stream = Lingering::new(stream, heard.clone());
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(conf.header_timeout);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(conf.ping);
    let (leaving, hears) = (lifecycle.clone(), heard.clone());
    let service = service_fn(move |req: Request<Incoming>| {
        hears.store(true, Ordering::Relaxed);
        let (router, lifecycle) = (router.clone(), leaving.clone());
        async move {
            let version = req.version();
            // Of HTTP/2 a stream ends, and of a request without a body nothing is left.
            let read =
                (version < Version::HTTP_2 && !req.body().is_end_stream()).then(Arc::<AtomicBool>::default);
            let req = req.map(|body| match &read {
                Some(read) => axum::body::Body::new(Watched::new(body, read.clone())),
                None => axum::body::Body::new(body),
            });
            let mut rsp = router.oneshot(req).await?;
            if lifecycle.is_leaving() || read.is_some_and(|read| !read.load(Ordering::Relaxed)) {
                say_goodbye(version, &mut rsp);
            }
            Ok::<_, std::convert::Infallible>(rsp)
        }
    });
    let mut serving = pin!(server.serve_connection_with_upgrades(TokioIo::new(stream), service));
    // Which version is spoken is found out without a timer of hyper's.
    let mut patience = pin!(tokio::time::sleep(conf.header_timeout));
    let mut waits = true;
    loop {
        tokio::select! {
            // What has been sent already is begun before the end of it all is told.
            biased;
            ended = serving.as_mut() => return ended,
            () = lifecycle.draining() => break,
            () = patience.as_mut(), if waits => {
                if !heard.load(Ordering::Relaxed) {
                    return Err("nothing was heard in time".into());
                }
                waits = false;
            }
        }
    }
    serving.as_mut().graceful_shutdown();
    serving.await
}

fn say_goodbye<B>(version: Version, rsp: &mut Response<B>) {
    // An upgraded connection is its handler's; it needs the header for itself.
    if version < Version::HTTP_2 && rsp.status() != StatusCode::SWITCHING_PROTOCOLS {
        rsp.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}
