//! Connections of clients who mean no good, and the end of those that are in the way.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::serve::{self, Connections};
use shared::testing::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::world;

const SOON: Duration = Duration::from_secs(10);

async fn start(
    router: axum::Router,
    header_timeout: Duration,
    lifecycle: &Lifecycle,
) -> std::net::SocketAddr {
    let conf = Connections { header_timeout, ..Connections::default() };
    serve::start(serve::bind("127.0.0.1", 0).await.unwrap(), router, &conf, lifecycle).unwrap()
}

fn hangs(held: &Arc<()>, begun: &Arc<Notify>) -> axum::Router {
    let (held, begun) = (held.clone(), begun.clone());
    axum::Router::new().fallback(async move || {
        let _held = held.clone();
        begun.notify_one();
        std::future::pending::<()>().await
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_or_too_little_is_not_listened_to_for_ever() {
    let lifecycle = world::lifecycle();
    let router = axum::Router::new().fallback(async || "fine");
    let address = start(router, Duration::from_millis(200), &lifecycle).await;
    for words in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HT", "GET / HTTP/1.1\r\nhost: a\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        let end = tokio::time::timeout(SOON, stream.read_to_end(&mut Vec::new())).await;
        end.unwrap_or_else(|_| panic!("{words:?} is waited for")).ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_asked_and_waits_is_served_however_short_the_question() {
    let (lifecycle, begun) = (world::lifecycle(), Arc::new(Notify::new()));
    let (told, go_on) = (begun.clone(), Arc::new(Notify::new()));
    let waits = go_on.clone();
    let router = axum::Router::new().fallback(async move || {
        told.notify_one();
        waits.notified().await;
        "fine"
    });
    let address = start(router, Duration::from_millis(100), &lifecycle).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    begun.notified().await;
    // Longer than a head may take.
    assert!(tokio::time::timeout(Duration::from_millis(300), stream.read_u8()).await.is_err());
    go_on.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("fine"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_hang_end_with_the_connection_when_the_grace_period_is_over() {
    let shutdown = Shutdown { beat: Duration::ZERO, grace_period: Duration::from_millis(300) };
    let (lifecycle, held, begun) = (Lifecycle::new("test", &shutdown), Arc::new(()), Arc::new(Notify::new()));
    let address = start(hangs(&held, &begun), SOON, &lifecycle).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), stream).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async { connection.await.unwrap_or(()) });
    let uri = format!("http://{address}/");
    let asked = sender.send_request(http::Request::get(uri).body(Empty::new()).unwrap());
    tasks.spawn(async { drop(asked.await) });
    begun.notified().await;
    lifecycle.stop().await;
    // The router has one, in the accept task that has ended; the test has the other.
    eventually(Duration::from_secs(2), async || (Arc::strong_count(&held) == 1).then_some(())).await;
}

#[tokio::test]
async fn who_has_sent_a_request_before_the_drain_is_answered() {
    for _ in 0..10 {
        let lifecycle = world::lifecycle();
        let listener = serve::bind("127.0.0.1", 0).await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        // It waits in the kernel's queue still when the server drains.
        lifecycle.stop().await;
        let router = axum::Router::new().fallback(async || "fine");
        serve::start(listener, router, &Connections::default(), &lifecycle).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("fine"), "{answer}");
    }
}
