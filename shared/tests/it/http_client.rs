//! Outbound HTTP over real sockets: to a server of our own, and to peers that misbehave word by word.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::{get, post};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::{Value, json};
use shared::error::{Code, Error};
use shared::http_client::{Answer, Client, Conf, Route};
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::pipeline::ambient::{self, Ambient};
use shared::pipeline::trace::Trace;
use shared::pipeline::{Pipeline, Protocol, Side, access_log::AccessLog};
use shared::rest::{self, Server, Spec};
use shared::telemetry::metrics;
use shared::telemetry::trace::Ids;
use shared::{clock, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::world;

const SOON: Duration = Duration::from_secs(10);

/// A well-behaved peer.
async fn shop(lifecycle: &Lifecycle) -> String {
    let traced = || {
        let line = AccessLog::of("peer", "http", "GET", "/trace");
        Pipeline::of("peer", Side::Server, Protocol::Http).on(true, Trace::server(line)).build()
    };
    let ids = async || {
        let ids = ambient::current().unwrap().ids;
        json!({"trace": ids.to_string(), "parent": format!("{:016x}", ids.parent)}).to_string()
    };
    let status = async |Path(status): Path<u16>| {
        (StatusCode::from_u16(status).unwrap(), json!({"status": status}).to_string())
    };
    let echo = async |headers: HeaderMap, body: Bytes| {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        json!({
            "key": header("idempotency-key"),
            "type": header("content-type"),
            "host": header("host"),
            "body": serde_json::from_slice::<Value>(&body).unwrap(),
        })
        .to_string()
    };
    let app = axum::Router::new()
        .route("/status/{status}", get(status))
        .route("/echo", post(echo))
        .route("/trace", get(traced().route(ids)));
    let listener = serve::bind("127.0.0.1", 0).await.unwrap();
    let address = serve::start(listener, app, &serve::Connections::default(), lifecycle).unwrap();
    format!("http://{address}")
}

/// A peer that does with each connection what it is told.
struct Peer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// A connection of [`Peer`], and which one it is.
struct Line {
    stream: TcpStream,
    number: usize,
    requests: Arc<AtomicUsize>,
}

impl Line {
    /// Reads the head of a request; `false` where the client is gone.
    async fn hears(&mut self) -> bool {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return false,
            }
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        true
    }

    async fn hangs_up(mut self) {
        self.hears().await;
    }

    async fn says(&mut self, words: &str) {
        self.stream.write_all(words.as_bytes()).await.unwrap();
    }
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsecret";

impl Peer {
    async fn start<F>(lifecycle: &Lifecycle, script: impl Fn(Line) -> F + Send + 'static) -> Peer
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = serve::bind("127.0.0.1", 0).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (counted, heard, owner) = (connections.clone(), requests.clone(), lifecycle.clone());
        lifecycle.spawn_job(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                owner.spawn_job(script(Line { stream, number, requests: heard.clone() }));
            }
        });
        Peer { address, connections, requests }
    }

    fn conf(&self) -> Conf {
        conf(&format!("http://{}", self.address))
    }

    fn heard(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn conf(url: &str) -> Conf {
    Conf { url: url.to_owned(), timeout: SOON, ..Conf::default() }
}

fn thing(peer: &'static str, conf: &Conf, lifecycle: &Lifecycle) -> Route {
    Client::try_new(peer, conf, lifecycle).unwrap().route(Method::POST, "/things/{id}")
}

async fn call(route: &Route) -> Result<Answer, Error> {
    route.to("/things/17").json(&json!({"secret": true})).send().await
}

#[track_caller]
fn refused(outcome: Result<Answer, Error>, code: Code, told: &str) {
    let error = outcome.err().expect("there is no answer");
    assert_eq!(error.code(), code, "{}", error.chain());
    assert!(error.chain().contains(told), "{}", error.chain());
    assert!(!error.chain().contains("secret"), "{}", error.chain());
}

async fn within<F: Future>(time: Duration, future: F) -> F::Output {
    let ids = Ids::root();
    let deadline = Some(clock::tick() + time.as_nanos() as u64);
    ambient::scope(Ambient { ids, deadline, service: "test" }, future).await
}

#[tokio::test]
async fn whatever_its_status_an_answer_is_an_answer() {
    let lifecycle = world::lifecycle();
    let client = Client::try_new("shop", &conf(&shop(&lifecycle).await), &lifecycle).unwrap();
    let route = client.route(Method::GET, "/status/{status}").idempotent();
    for status in [200, 204, 302, 400, 404, 409, 429, 500, 503, 504] {
        let answer = route.to(&format!("/status/{status}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        if status != 204 {
            assert_eq!(answer.json::<Value>().unwrap()["status"], status);
        }
    }
}

#[tokio::test]
async fn headers_and_json_arrive() {
    let lifecycle = world::lifecycle();
    let url = shop(&lifecycle).await;
    let echo = Client::try_new("shop", &conf(&url), &lifecycle).unwrap().route(Method::POST, "/echo");
    let key = HeaderName::from_static("idempotency-key");
    let call = echo.to("/echo").header(key.clone(), "one").json(&json!({"amount": 5}));
    let heard: Value = call.send().await.unwrap().json().unwrap();
    let host = url.trim_start_matches("http://");
    let all = json!({"key": "one", "type": "application/json", "host": host, "body": {"amount": 5}});
    assert_eq!(heard, all);
    refused(echo.to("/echo").header(key, "a\nb").send().await, Code::Internal, "cannot stand in a header");
}

#[tokio::test]
async fn the_sooner_deadline_ends_a_call_that_waits_for_the_head_or_for_the_body() {
    let lifecycle = world::lifecycle();
    for begins in ["", HALF] {
        let peer = Peer::start(&lifecycle, async move |mut line: Line| {
            line.hears().await;
            line.says(begins).await;
            // Until the client is gone.
            assert!(!line.hears().await);
        })
        .await;
        let soon = Duration::from_millis(50);
        let short = thing("slow", &Conf { timeout: soon, ..peer.conf() }, &lifecycle).idempotent();
        let long = thing("slow", &peer.conf(), &lifecycle).idempotent();
        let start = clock::tick();
        refused(call(&short).await, Code::DeadlineExceeded, "POST /things/{id} of slow");
        refused(within(SOON, call(&short)).await, Code::DeadlineExceeded, "");
        refused(within(soon, call(&long)).await, Code::DeadlineExceeded, "");
        let took = Duration::from_nanos(clock::tick() - start);
        assert!(took >= 3 * soon && took < SOON, "{took:?}");
        assert_eq!(peer.heard(), 3, "nothing is sent again for lack of time");
        refused(within(Duration::ZERO, call(&long)).await, Code::DeadlineExceeded, "");
        assert_eq!(peer.heard(), 3, "nothing starts that has no time to end");
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let lifecycle = world::lifecycle();
    // A port that was free a moment ago.
    let port = serve::bind("127.0.0.1", 0).await.unwrap().local_addr().unwrap().port();
    let route = thing("nobody", &conf(&format!("http://127.0.0.1:{port}")), &lifecycle);
    let error = call(&route).await.err().unwrap();
    assert_eq!(error.message(), "nobody cannot be reached");
    refused(Err(error), Code::Unavailable, "POST /things/{id} of nobody: there was no connection");
}

#[tokio::test]
async fn what_breaks_half_way_is_sent_again_only_where_it_may_be() {
    let lifecycle = world::lifecycle();
    for begins in ["", "HTTP/1.1 20", HALF] {
        let peer = Peer::start(&lifecycle, async move |mut line: Line| {
            line.hears().await;
            line.says(if line.number == 1 { FINE } else { begins }).await;
        })
        .await;
        let once = thing("dying", &peer.conf(), &lifecycle);
        refused(call(&once).await, Code::Unavailable, "dying broke off before it had answered");
        assert_eq!(peer.heard(), 1);
        let broken = call(&once.clone().idempotent()).await.unwrap();
        assert_eq!((broken.status(), peer.heard()), (StatusCode::OK, 2));
        refused(call(&once.clone().idempotent()).await, Code::Unavailable, "dying broke off");
        assert_eq!(peer.heard(), 4, "one retry, and no more");
    }
}

#[tokio::test]
async fn retries_have_a_budget_and_a_switch() {
    let lifecycle = world::lifecycle();
    let peer = Peer::start(&lifecycle, Line::hangs_up).await;
    let route = thing("down", &peer.conf(), &lifecycle).idempotent();
    for _ in 0..100 {
        refused(call(&route).await, Code::Unavailable, "");
    }
    let retries = peer.heard() - 100;
    assert!((10..=20).contains(&retries), "a tenth of the calls, and the first ten: {retries}");
    let mut off = peer.conf();
    off.middlewares.retry = false;
    let before = peer.heard();
    refused(call(&thing("down", &off, &lifecycle).idempotent()).await, Code::Unavailable, "");
    assert_eq!(peer.heard(), before + 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_read_no_further() {
    let lifecycle = world::lifecycle();
    let peer = Peer::start(&lifecycle, async |mut line: Line| {
        while line.hears().await {
            match line.number {
                0 => line.says(FINE).await,
                1 => line.says("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await,
                _ => {
                    line.says("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n")
                        .await
                }
            }
        }
    })
    .await;
    let route = || thing("large", &Conf { max_bytes: 4, ..peer.conf() }, &lifecycle).idempotent();
    assert_eq!(call(&route()).await.unwrap().status(), StatusCode::OK);
    for _ in 0..2 {
        let error = call(&route()).await.err().unwrap();
        assert_eq!(error.message(), "something went wrong on our side");
        refused(Err(error), Code::Internal, "POST /things/{id} of large: the answer has more than 4 bytes");
    }
    assert_eq!(peer.heard(), 3, "it would be no smaller the next time");
}

#[tokio::test]
async fn the_peer_continues_the_trace() {
    let lifecycle = world::lifecycle();
    let client = Client::try_new("shop", &conf(&shop(&lifecycle).await), &lifecycle).unwrap();
    let route = client.route(Method::GET, "/trace");
    let ids = Ids::root();
    let around = Ambient { ids, deadline: None, service: "test" };
    let heard: Value = ambient::scope(around, route.to("/trace").send()).await.unwrap().json().unwrap();
    assert_eq!(heard["trace"], ids.to_string());
    let span = std::str::from_utf8(&ids.span_hex()).unwrap().to_owned();
    assert_ne!(heard["parent"], span, "the call has a span of its own");
    let alone: Value = route.to("/trace").send().await.unwrap().json().unwrap();
    assert_ne!(alone["trace"], heard["trace"], "without a request around it a call begins a trace");
}

#[tokio::test]
async fn a_stale_connection_fails_no_idempotent_call_and_sends_no_other_twice() {
    let lifecycle = world::lifecycle();
    // Each connection is good for one answer, and hangs up on the second request.
    let peer = Peer::start(&lifecycle, async |mut line: Line| {
        line.hears().await;
        line.says(FINE).await;
        line.hears().await;
    })
    .await;
    let route = thing("stale", &peer.conf(), &lifecycle);
    assert_eq!(call(&route.clone().idempotent()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(call(&route.clone().idempotent()).await.unwrap().status(), StatusCode::OK);
    assert_eq!((peer.heard(), peer.connections.load(Ordering::SeqCst)), (3, 2));
    // A retry's connection is not kept; this one is.
    assert_eq!(call(&route).await.unwrap().status(), StatusCode::OK);
    refused(call(&route).await, Code::Unavailable, "stale broke off");
    assert_eq!((peer.heard(), peer.connections.load(Ordering::SeqCst)), (5, 3));
}

#[tokio::test]
async fn a_retry_does_not_try_the_next_stale_connection() {
    let lifecycle = world::lifecycle();
    let together = Arc::new(tokio::sync::Barrier::new(4));
    let peer = Peer::start(&lifecycle, move |mut line: Line| {
        let together = together.clone();
        async move {
            line.hears().await;
            if line.number < 4 {
                together.wait().await;
            }
            line.says(FINE).await;
            line.hears().await;
        }
    })
    .await;
    let route = thing("stales", &peer.conf(), &lifecycle).idempotent();
    let all = tokio::join!(call(&route), call(&route), call(&route), call(&route));
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok() && all.3.is_ok());
    for _ in 0..4 {
        call(&route).await.unwrap();
    }
    assert_eq!(peer.heard(), 4 + 4 * 2, "each stale connection costs one retry");
}

#[tokio::test]
async fn connections_are_kept_as_long_as_they_may_be() {
    let lifecycle = world::lifecycle();
    let peer = Peer::start(&lifecycle, async |mut line: Line| {
        while line.hears().await {
            line.says(FINE).await;
        }
    })
    .await;
    let connections = || peer.connections.load(Ordering::SeqCst);
    let route = thing("kept", &peer.conf(), &lifecycle);
    for _ in 0..3 {
        call(&route).await.unwrap();
    }
    assert_eq!(connections(), 1);
    let brief = thing("brief", &Conf { idle_timeout: Duration::ZERO, ..peer.conf() }, &lifecycle);
    for _ in 0..3 {
        call(&brief).await.unwrap();
    }
    assert_eq!(connections(), 4);
}

/// How many calls of this peer ended with this code.
fn counted(peer: &str, code: &str) -> f64 {
    let labels = format!(
        "http_request_duration_ms_count{{service=\"test\",side=\"client\",method=\"POST\",route=\"{peer}/things/{{id}}\",code=\"{code}\"}} "
    );
    let all = metrics::render();
    all.lines().find_map(|line| line.strip_prefix(&labels)).map_or(0.0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn every_end_of_a_call_is_measured_and_no_path_is() {
    metrics::start().unwrap();
    let lifecycle = world::lifecycle();
    let peer = Peer::start(&lifecycle, async |mut line: Line| {
        while line.hears().await {
            match line.number {
                0 => line.says(FINE).await,
                1 => return line.says(HALF).await,
                2 => line.says("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n").await,
                _ => {}
            }
        }
    })
    .await;
    let conf = Conf { max_idle: 0, ..peer.conf() };
    let route = thing("measured", &conf, &lifecycle);
    call(&route).await.unwrap();
    call(&route).await.err().unwrap();
    call(&route).await.unwrap();
    within(Duration::from_millis(50), call(&route)).await.err().unwrap();
    for code in ["200", "503", "500", "504"] {
        assert_eq!(counted("measured", code), 1.0, "{code}");
    }
    assert!(!metrics::render().contains("things/17"));
}

#[tokio::test]
async fn a_caller_that_goes_away_is_heard_here_and_there() {
    metrics::start().unwrap();
    let lifecycle = world::lifecycle();
    let (hears, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, over) = (hears.clone(), gone.clone());
    let peer = Peer::start(&lifecycle, move |mut line: Line| {
        let (hears, gone) = (told.clone(), over.clone());
        async move {
            line.hears().await;
            hears.notify_one();
            assert!(!line.hears().await, "nothing more comes");
            gone.notify_one();
        }
    })
    .await;
    let route = thing("left", &peer.conf(), &lifecycle).idempotent();
    tokio::select! {
        _ = call(&route) => panic!("there is no answer"),
        () = hears.notified() => {}
    }
    assert_eq!(counted("left", "499"), 1.0);
    tokio::time::timeout(SOON, gone.notified()).await.expect("the connection is closed");
    assert_eq!(peer.heard(), 1);
}

#[tokio::test]
async fn a_path_of_another_route_is_not_sent() {
    let lifecycle = world::lifecycle();
    let peer = Peer::start(&lifecycle, Line::hangs_up).await;
    let route = thing("strict", &peer.conf(), &lifecycle);
    for path in ["/things/a/void", "/things/../secret", "/things/", "/other/a", "/things/a b"] {
        refused(route.to(path).send().await, Code::Internal, "a path does not fit /things/{id}");
    }
    assert_eq!(peer.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_stop_closes_idle_connections_and_lets_a_call_under_way_end() {
    let server = world::lifecycle();
    let (hears, may) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, allowed) = (hears.clone(), may.clone());
    let peer = Peer::start(&server, move |mut line: Line| {
        let (hears, may) = (told.clone(), allowed.clone());
        async move {
            line.hears().await;
            hears.notify_one();
            may.notified().await;
            line.says(FINE).await;
            line.hears().await;
        }
    })
    .await;
    let stop = Shutdown { grace_period: SOON, ..Shutdown::default() };
    let lifecycle = Lifecycle::new("client", &stop);
    let route = thing("stopping", &Conf { timeout: SOON * 10, ..peer.conf() }, &lifecycle);
    let start = clock::tick();
    let stops = async {
        hears.notified().await;
        lifecycle.stop().await;
    };
    let answers = async {
        lifecycle.stopping().await;
        may.notify_one();
    };
    let (answer, (), ()) = tokio::join!(call(&route), stops, answers);
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    assert!(Duration::from_nanos(clock::tick() - start) < SOON / 2, "nothing waits for an idle connection");
}

#[tokio::test]
async fn a_rest_server_of_ours_is_a_peer_like_any_other() {
    let lifecycle = world::lifecycle();
    let conf_of_server = rest::Conf::default();
    let server = Server::new(&conf_of_server, &lifecycle, None);
    let spec = Spec::new(Method::POST, "/things/{id}", "thing.make");
    let router = server.routes().add(&spec, async || "{}").into_router(());
    let listener = serve::bind("127.0.0.1", 0).await.unwrap();
    let address = rest::start(listener, router, &conf_of_server, &lifecycle).unwrap();
    let route = thing("ours", &conf(&format!("http://{address}")), &lifecycle);
    assert_eq!(call(&route).await.unwrap().json::<Value>().unwrap(), json!({}));
    lifecycle.stop().await;
    refused(call(&route).await, Code::Unavailable, "ours cannot be reached");
}
