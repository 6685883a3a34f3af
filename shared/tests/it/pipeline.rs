//! The pipeline's law of pairs, its outcomes on a real server, its deadlines, and what surrounds the code inside.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{Method, StatusCode, request};
use http_body::Body as _;
use http_body_util::BodyExt;
use proptest::prelude::*;
use shared::error::Code;
use shared::lifecycle::Lifecycle;
use shared::pipeline::recover::Recover;
use shared::pipeline::timeout::{Left, Timeout};
use shared::pipeline::{
    Admit, Answer, Concern, Cx, End, Outcome, Pick, Pipeline, Protocol, Refusal, Side, ambient,
};
use shared::rest::{self, Conf, Server, Spec};
use shared::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tower::{Layer, Service, ServiceExt};

use crate::spy::Spy;
use crate::world;

/// How a made-up concern or inner service behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Go,
    AgainThenGo,
    LaterThenGo,
    LaterThenRefuse,
    Never,
    Refuse,
    Answer,
    PanicInAdmit,
    PanicInAnswer,
    PanicInDone,
}

#[derive(Default)]
struct Heard {
    admitted: Vec<usize>,
    done: Vec<usize>,
    asked: usize,
}

struct Made {
    at: usize,
    says: Says,
    heard: Arc<Mutex<Heard>>,
}

const NO: Refusal = Refusal::new(Code::RateLimited, "rate_limited", "not now");

impl Concern for Made {
    fn name(&self) -> &'static str {
        "made"
    }

    fn admit(&self, cx: &mut Cx, _: &mut request::Parts) -> Admit {
        let mut heard = self.heard.lock().unwrap();
        heard.asked += 1;
        let owed = !matches!(self.says, Says::Refuse | Says::Answer | Says::PanicInAdmit);
        if owed && *cx.note() == 0 {
            heard.admitted.push(self.at);
        }
        *cx.note() += 1;
        let first = *cx.note() == 1;
        drop(heard);
        match self.says {
            Says::AgainThenGo if first => Admit::Again,
            Says::LaterThenGo => Admit::Later(Box::pin(async {
                tokio::task::yield_now().await;
                Ok(())
            })),
            Says::LaterThenRefuse => Admit::Later(Box::pin(async { Err(NO) })),
            Says::Never => Admit::Later(Box::pin(std::future::pending())),
            Says::Refuse => NO.into(),
            Says::Answer => Admit::Answer(Box::default()),
            Says::PanicInAdmit => panic!("in admit"),
            _ => Admit::Go,
        }
    }

    fn answers(&self) -> bool {
        self.says == Says::PanicInAnswer
    }

    fn answer(&self, _: &mut Cx, _: &mut Answer<'_>) {
        panic!("in answer");
    }

    fn done(&self, _: &mut Cx, _: &Outcome) {
        self.heard.lock().unwrap().done.push(self.at);
        assert!(self.says != Says::PanicInDone, "in done");
    }
}

/// What the made-up inner service does.
#[derive(Debug, Clone, Copy)]
enum Inner {
    Ready,
    Waits,
    Never,
    Fails,
    Panics,
    PanicsInDrop,
    Streams,
    Breaks,
    PanicsInBody,
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "in drop");
    }
}

async fn inner(inner: Inner) -> Result<Response, &'static str> {
    let chunks = |chunks: Vec<Result<Bytes, std::io::Error>>| Body::from_stream(stream::iter(chunks));
    let chunk = || Ok(Bytes::from_static(b"x"));
    match inner {
        Inner::Ready => Ok(Response::new(Body::from("fine"))),
        Inner::Waits => {
            tokio::task::yield_now().await;
            Ok(Response::new(Body::empty()))
        }
        Inner::Never => std::future::pending().await,
        Inner::Fails => Err("broken"),
        Inner::Panics => panic!("in the handler"),
        Inner::PanicsInDrop => {
            let _held = PanicsInDrop;
            std::future::pending().await
        }
        Inner::Streams => Ok(Response::new(chunks(vec![chunk(), chunk()]))),
        Inner::Breaks => Ok(Response::new(chunks(vec![chunk(), Err(std::io::Error::other("gone"))]))),
        Inner::PanicsInBody => {
            let body = stream::iter(0..3).map(|at| {
                assert!(at == 0, "in the body");
                Ok::<_, Infallible>(Bytes::from_static(b"x"))
            });
            Ok(Response::new(Body::from_stream(body)))
        }
    }
}

fn any_says() -> impl Strategy<Value = Says> {
    prop_oneof![
        6 => Just(Says::Go),
        2 => Just(Says::AgainThenGo),
        2 => Just(Says::LaterThenGo),
        1 => Just(Says::LaterThenRefuse),
        1 => Just(Says::Never),
        1 => Just(Says::Refuse),
        1 => Just(Says::Answer),
        1 => Just(Says::PanicInAdmit),
        1 => Just(Says::PanicInAnswer),
        1 => Just(Says::PanicInDone),
    ]
}

fn any_inner() -> impl Strategy<Value = Inner> {
    prop_oneof![
        Just(Inner::Ready),
        Just(Inner::Waits),
        Just(Inner::Never),
        Just(Inner::Fails),
        Just(Inner::Panics),
        Just(Inner::PanicsInDrop),
        Just(Inner::Streams),
        Just(Inner::Breaks),
        Just(Inner::PanicsInBody),
    ]
}

/// Polls at most `polls` times, the body included, and drops what is left.
fn run(list: Vec<Says>, does: Inner, polls: usize, protocol: Protocol) -> Heard {
    let heard = Arc::new(Mutex::new(Heard::default()));
    let mut builder = Pipeline::of("test", Side::Server, protocol).on(true, Recover::of("test"));
    for (at, says) in list.into_iter().enumerate() {
        builder = builder.on(true, Made { at, says, heard: heard.clone() });
    }
    let service = tower::service_fn(move |_: Request| inner(does));
    let mut piped = Pick::One(builder.build()).layer(service);
    let mut call = Box::pin(piped.call(Request::new(Body::empty())));
    let mut task = Context::from_waker(Waker::noop());
    let mut left = polls;
    let mut body = None;
    while left > 0 && body.is_none() {
        left -= 1;
        match call.as_mut().poll(&mut task) {
            Poll::Ready(Ok(rsp)) => body = Some(Box::pin(rsp.into_body())),
            Poll::Ready(Err(_)) => left = 0,
            Poll::Pending => {}
        }
        assert!(ambient::current().is_none(), "what surrounds a request leaked");
    }
    while let (Some(open), true) = (&mut body, left > 0) {
        left -= 1;
        match Pin::new(open).poll_frame(&mut task) {
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
            Poll::Ready(None | Some(Err(_))) => left = 0,
        }
        assert!(ambient::current().is_none(), "what surrounds a request leaked");
    }
    drop(body);
    // The destructor of the inner work may panic where nothing polls.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(call))).ok();
    assert!(ambient::current().is_none(), "what surrounds a request leaked");
    std::mem::take(&mut *heard.lock().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn who_was_admitted_hears_the_end_once_and_in_reverse(
        list in prop::collection::vec(any_says(), 0..8),
        does in any_inner(),
        polls in 0_usize..12,
        grpc: bool,
    ) {
        let protocol = if grpc { Protocol::Grpc } else { Protocol::Http };
        let mut heard = run(list, does, polls, protocol);
        heard.admitted.reverse();
        prop_assert_eq!(heard.admitted, heard.done);
    }
}

struct Shop {
    address: SocketAddr,
    spy: Spy,
    lifecycle: Lifecycle,
    /// Told when a handler that never ends has begun.
    hanging: Arc<Notify>,
}

/// A real server whose routes do what their names say.
async fn shop() -> Shop {
    let (spy, lifecycle) = (Spy::default(), world::lifecycle());
    let route = |milliseconds: u64| {
        Pipeline::of("test", Side::Server, Protocol::Http)
            .on(true, Recover::of("test"))
            .on(true, spy.clone())
            .on(milliseconds > 0, Timeout::of(Duration::from_millis(milliseconds)))
            .build()
    };
    let endless = async || {
        Body::from_stream(stream::repeat(0).then(async |_| {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok::<_, Infallible>(Bytes::from_static(b"x"))
        }))
    };
    let hanging = Arc::new(Notify::new());
    let told = hanging.clone();
    let hangs = async move || {
        told.notify_one();
        std::future::pending::<&'static str>().await
    };
    let app = axum::Router::new()
        .route("/ok", get(route(5000).route(async || "fine")))
        .route("/none", get(route(5000).route(async || StatusCode::NO_CONTENT)))
        .route("/same", get(route(5000).route(async || StatusCode::NOT_MODIFIED)))
        .route("/panic", get(route(5000).route(async || -> &'static str { panic!("boom") })))
        .route("/slow", get(route(50).route(async || std::future::pending::<&'static str>().await)))
        .route("/hangs", get(route(0).route(hangs)))
        .route("/stream", get(route(5000).route(async || inner(Inner::Streams).await.unwrap())))
        .route("/broken", get(route(5000).route(async || inner(Inner::Breaks).await.unwrap())))
        .route("/bodypanic", get(route(5000).route(async || inner(Inner::PanicsInBody).await.unwrap())))
        .route("/late", get(route(50).route(endless)))
        .route("/endless", get(route(0).route(endless)));
    let listener = serve::bind("127.0.0.1", 0).await.unwrap();
    let address = rest::start(listener, app, &Conf::default(), &lifecycle).unwrap();
    Shop { address, spy, lifecycle, hanging }
}

impl Shop {
    /// The whole answer to a request, as it came over the wire.
    async fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = self.send(method, path).await;
        let mut answer = Vec::new();
        // A body that breaks off ends in an error; what came before counts.
        stream.read_to_end(&mut answer).await.ok();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn send(&self, method: &str, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outermost_concern_hears_how_everything_ends() {
    let shop = shop().await;
    let table = [
        ("GET", "/ok", End::Answered, 200),
        ("HEAD", "/ok", End::Answered, 200),
        ("GET", "/none", End::Answered, 204),
        ("GET", "/same", End::Answered, 304),
        ("GET", "/panic", End::Panicked, 500),
        ("GET", "/slow", End::TimedOut, 504),
        ("GET", "/stream", End::Answered, 200),
        ("HEAD", "/stream", End::Answered, 200),
        ("GET", "/broken", End::Failed, 500),
        ("GET", "/bodypanic", End::Panicked, 500),
        ("GET", "/late", End::TimedOut, 504),
    ];
    for (method, path, end, code) in table {
        shop.ask(method, path).await;
        assert_eq!(shop.spy.next().await, (end, code), "{method} {path}");
    }
    assert!(shop.ask("GET", "/panic").await.contains(r#""code":"internal""#));
    assert!(shop.ask("GET", "/slow").await.starts_with("HTTP/1.1 504"));
    assert!(shop.ask("GET", "/ok").await.ends_with("fine"), "the process lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_is_heard() {
    let shop = shop().await;
    let stream = shop.send("GET", "/hangs").await;
    // A client that goes before its request was read was never heard of.
    shop.hanging.notified().await;
    drop(stream);
    assert_eq!(shop.spy.next().await, (End::Cancelled, 499));
    let mut stream = shop.send("GET", "/endless").await;
    stream.read_u8().await.unwrap();
    drop(stream);
    assert_eq!(shop.spy.next().await, (End::Cancelled, 499));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_what_was_accepted() {
    let shop = shop().await;
    let mut busy = shop.send("GET", "/endless").await;
    busy.read_u8().await.unwrap();
    let lifecycle = shop.lifecycle.clone();
    let (stopped, ()) = tokio::join!(lifecycle.stop(), async {
        lifecycle.draining().await;
        assert!(TcpStream::connect(shop.address).await.is_err() || shop.lifecycle.is_leaving());
        drop(busy);
    });
    assert_eq!(stopped, ());
    assert_eq!(shop.spy.next().await, (End::Cancelled, 499));
}

fn routes(conf: &Conf) -> axum::Router {
    let server = Server::new(conf, &world::lifecycle(), None);
    let spec = Spec::new(Method::GET, "/v1/things/{id}", "thing.get");
    server.routes().add(&spec, async || "a thing").into_router(())
}

async fn ask(router: axum::Router, method: Method, path: &str) -> (http::response::Parts, serde_json::Value) {
    let mut req = Request::new(Body::empty());
    *req.method_mut() = method;
    *req.uri_mut() = path.parse().unwrap();
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    req.headers_mut().insert("traceparent", traceparent.parse().unwrap());
    let (head, body) = router.oneshot(req).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn what_no_route_answers_is_a_problem_with_the_callers_trace_id() {
    let router = routes(&Conf::default());
    let (head, problem) = ask(router.clone(), Method::GET, "/nowhere").await;
    assert_eq!((head.status.as_u16(), &problem["code"]), (404, &"not_found".into()));
    assert_eq!(problem["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(head.headers["x-trace-id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(head.headers["content-type"], "application/problem+json");
    let (head, problem) = ask(router.clone(), Method::POST, "/v1/things/7").await;
    assert_eq!((head.status.as_u16(), &problem["code"]), (405, &"method_not_allowed".into()));
    assert_eq!(head.headers["allow"], "GET, HEAD");
    let (head, _) = ask(router, Method::HEAD, "/v1/things/7").await;
    assert_eq!(head.status, 200);
    assert!(head.headers.contains_key("x-trace-id"));
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_without_time_and_a_waiting_concern_has_a_deadline() {
    let heard = Arc::new(Mutex::new(Heard::default()));
    let spy = Spy::default();
    let late = Pipeline::of("test", Side::Server, Protocol::Http)
        .on(true, spy.clone())
        .on(true, Timeout::of(Duration::from_secs(1)))
        .on(true, Made { at: 0, says: Says::Never, heard: heard.clone() })
        .build();
    let service =
        tower::service_fn(async |_: Request| -> Result<Response, Infallible> { panic!("it must not start") });
    let rsp = Pick::One(late).layer(service).oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(rsp.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(spy.next().await, (End::TimedOut, 504));
    assert_eq!(heard.lock().unwrap().done, [0]);
}

#[tokio::test(start_paused = true)]
async fn a_call_has_no_more_time_than_the_request_around_it() {
    let left = Arc::new(Mutex::new(Vec::new()));
    let seen = left.clone();
    let call = Pipeline::of("test", Side::Client, Protocol::Grpc)
        .on(true, Timeout::of(Duration::from_secs(9)))
        .on(true, Left)
        .build();
    let remote = tower::service_fn(move |req: Request| {
        seen.lock().unwrap().push(req.headers()["grpc-timeout"].to_str().unwrap().to_owned());
        std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    let client = Pick::One(call).layer(remote);
    let around = Pipeline::of("test", Side::Server, Protocol::Http)
        .on(true, Timeout::of(Duration::from_secs(2)))
        .build();
    let handler = tower::service_fn(move |_: Request| {
        let client = client.clone();
        async move {
            client.clone().oneshot(Request::new(Body::empty())).await?;
            tokio::time::advance(Duration::from_millis(500)).await;
            client.oneshot(Request::new(Body::empty())).await?;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    });
    Pick::One(around).layer(handler).oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(*left.lock().unwrap(), ["2000000u", "1500000u"]);
}

/// Asks for one turn of the executor, which takes longer than there is time.
struct LongTurn;

impl Concern for LongTurn {
    fn name(&self) -> &'static str {
        "turn"
    }

    fn admit(&self, cx: &mut Cx, _: &mut request::Parts) -> Admit {
        *cx.note() += 1;
        if *cx.note() == 1 { Admit::Again } else { Admit::Go }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_after_the_deadline_that_passed_while_it_waited_for_its_turn() {
    let spy = Spy::default();
    let list = Pipeline::of("test", Side::Server, Protocol::Http)
        .on(true, spy.clone())
        .on(true, Timeout::of(Duration::from_secs(1)))
        .on(true, LongTurn)
        .build();
    let service =
        tower::service_fn(async |_: Request| -> Result<Response, Infallible> { panic!("it must not start") });
    let call = Pick::One(list).layer(service).oneshot(Request::new(Body::empty()));
    let mut call = Box::pin(call);
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(call.await.unwrap().status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(spy.next().await, (End::TimedOut, 504));
}

/// Answers itself, with this gRPC status.
struct Cached(Option<&'static str>);

impl Concern for Cached {
    fn name(&self) -> &'static str {
        "cached"
    }

    fn admit(&self, _: &mut Cx, _: &mut request::Parts) -> Admit {
        let mut rsp = Response::new(Bytes::new());
        if let Some(status) = self.0 {
            rsp.headers_mut().insert("grpc-status", status.parse().unwrap());
        }
        Admit::Answer(Box::new(rsp))
    }
}

#[tokio::test]
async fn an_early_answer_is_heard_in_the_numbers_of_its_protocol() {
    for (protocol, status, end, code) in [
        (Protocol::Http, None, End::Answered, 200),
        (Protocol::Grpc, Some("0"), End::Answered, 0),
        (Protocol::Grpc, Some("5"), End::Answered, 5),
        (Protocol::Grpc, None, End::Failed, 2),
    ] {
        let spy = Spy::default();
        let list =
            Pipeline::of("test", Side::Server, protocol).on(true, spy.clone()).on(true, Cached(status));
        let service = tower::service_fn(async |_: Request| Ok::<_, Infallible>(Response::new(Body::empty())));
        Pick::One(list.build()).layer(service).oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(spy.next().await, (end, code), "{protocol:?} {status:?}");
    }
}
