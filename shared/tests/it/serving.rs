//! A real server on real sockets, HTTP/1.1 and HTTP/2: how each request ends for its client and for the outermost concern,
//! and that a stop loses nothing that was begun.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Method, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use shared::error::BoxError;
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::pipeline::{Concern, End};
use shared::rest::{self, Call, Conf, Event, Events, Input, Reply, Request, Server, Spec};
use shared::serve;
use shared::testing::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::spy::Spy;

const SOON: Duration = Duration::from_secs(10);
const BEAT: Duration = Duration::from_millis(100);

/// What the handlers tell the tests, and wait for.
#[derive(Clone, Default)]
struct Stage {
    begun: Arc<AtomicUsize>,
    /// A handler that never ends has begun.
    hangs: Arc<Notify>,
    /// The stream of events was dropped.
    left: Arc<AtomicBool>,
}

struct Site {
    address: SocketAddr,
    spy: Spy,
    stage: Stage,
    lifecycle: Lifecycle,
}

struct Name(String);

impl Request for Name {
    const BODY: bool = false;

    fn read(input: &mut Input<'_>) -> Option<Name> {
        Some(Name(input.path.required("name", &[])?))
    }
}

struct Note(String);

impl Request for Note {
    const BODY: bool = true;

    fn read(input: &mut Input<'_>) -> Option<Note> {
        Some(Note(input.body.required("note", &[])?))
    }
}

async fn greet(mut call: Call) -> Response {
    let outcome = async { Ok(call.request::<Name>().await?.0) };
    let outcome = outcome.await;
    call.answer::<String>(outcome)
}

async fn note(mut call: Call) -> Response {
    let outcome = async { Ok(call.request::<Note>().await?.0) };
    let outcome = outcome.await;
    call.answer::<String>(outcome)
}

async fn events(State(stage): State<Stage>, call: Call) -> Response {
    struct Leaves(Arc<AtomicBool>);
    impl Drop for Leaves {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let leaves = Leaves(stage.left);
    let first = futures_util::stream::once(async { Event::json("moved", &"first").unwrap().id(1) });
    let rest = futures_util::stream::pending().map(move |event| {
        let _held = &leaves;
        event
    });
    call.stream(Ok(Events::new(first.chain(rest))))
}

/// Work that takes a moment.
async fn work(State(stage): State<Stage>) -> &'static str {
    stage.begun.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(3)).await;
    "done"
}

async fn hangs(State(stage): State<Stage>) -> &'static str {
    stage.hangs.notify_one();
    std::future::pending().await
}

async fn endless() -> Body {
    let ticks = futures_util::stream::repeat(()).then(async |()| {
        tokio::time::sleep(Duration::from_millis(2)).await;
        Ok::<_, BoxError>(Bytes::from_static(b"tick"))
    });
    Body::from_stream(ticks)
}

/// Speaks after the upgrade in the simplest of protocols: the same back.
async fn upgrade(State(stage): State<Stage>, mut req: axum::extract::Request) -> Response {
    let upgraded = hyper::upgrade::on(&mut req);
    stage.begun.fetch_add(1, Ordering::SeqCst);
    let echo = async move {
        let mut stream = TokioIo::new(upgraded.await.unwrap());
        let mut word = [0; 4];
        stream.read_exact(&mut word).await.unwrap();
        stream.write_all(&word).await.unwrap();
    };
    #[expect(clippy::disallowed_methods, reason = "nothing but this test waits for it")]
    tokio::spawn(echo);
    let head = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    head.header("connection", "upgrade").header("upgrade", "echo").body(Body::empty()).unwrap()
}

async fn site() -> Site {
    let shutdown = Shutdown { beat: BEAT, ..Shutdown::default() };
    let (spy, stage, lifecycle) = (Spy::default(), Stage::default(), Lifecycle::new("site", &shutdown));
    let server = Server::new(&Conf::default(), &lifecycle, None);
    let spec = |method, pattern| Spec {
        middleware: vec![Arc::new(spy.clone()) as Arc<dyn Concern>],
        ..Spec::new(method, pattern, "site")
    };
    let get = |pattern| spec(Method::GET, pattern);
    let stream = |pattern| Spec { sse: true, ..get(pattern) };
    let router = server
        .routes()
        .add(&get("/"), async || "root")
        .add(&get("/greet/{name}"), greet)
        .add(&get("/none"), async |call: Call| call.done(Ok(())))
        .add(&get("/same"), async |call: Call| call.answer::<()>(Ok(Reply::<()>::not_modified())))
        .add(&Spec { max_bytes: Some(100), ..spec(Method::POST, "/note") }, note)
        .add(&stream("/events"), events)
        .add(&get("/work"), work)
        .add(&stream("/hangs"), hangs)
        .add(&stream("/endless"), endless)
        .add(&get("/upgrade"), upgrade)
        .into_router(stage.clone());
    let listener = serve::bind("127.0.0.1", 0).await.unwrap();
    let address = rest::start(listener, router, &Conf::default(), &lifecycle).unwrap();
    Site { address, spy, stage, lifecycle }
}

impl Site {
    async fn open(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// All that comes back before the server closes.
    async fn ask(&self, text: &str) -> String {
        read(&mut self.open(text).await).await
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: site\r\nconnection: close\r\n\r\n")).await
    }

    async fn http2(&self, tasks: &mut JoinSet<()>) -> http2::SendRequest<Empty<Bytes>> {
        let stream = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        // It ends when its server says so.
        tasks.spawn(async { connection.await.unwrap_or(()) });
        sender
    }

    fn request(&self, path: &str) -> http::Request<Empty<Bytes>> {
        let uri: Uri = format!("http://{}{path}", self.address).parse().unwrap();
        http::Request::builder().uri(uri).header("host", "site").body(Empty::new()).unwrap()
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Until `text` has come.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let mut part = [0; 1024];
        let count = stream.read(&mut part).await.unwrap();
        assert!(count > 0, "it closed after {seen}");
        seen.push_str(std::str::from_utf8(&part[..count]).unwrap());
    }
    seen
}

/// An end without a farewell: the peer gets a reset.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

const CLOSE: &str = "host: site\r\nconnection: close\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_ends_as_it_looks() {
    let site = site().await;
    let json = "content-type: application/json\r\n";
    let chunked = "transfer-encoding: chunked\r\n";
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(100));
    let table = [
        (format!("GET / HTTP/1.1\r\n{CLOSE}\r\n"), "200", "root", (End::Answered, 200)),
        (format!("GET /?a=b HTTP/1.1\r\n{CLOSE}\r\n"), "200", "root", (End::Answered, 200)),
        (format!("HEAD / HTTP/1.1\r\n{CLOSE}\r\n"), "200", "", (End::Answered, 200)),
        (format!("HEAD /endless HTTP/1.1\r\n{CLOSE}\r\n"), "200", "", (End::Answered, 200)),
        (format!("HEAD /events HTTP/1.1\r\n{CLOSE}\r\n"), "200", "", (End::Answered, 200)),
        (format!("GET /none HTTP/1.1\r\n{CLOSE}\r\n"), "204", "", (End::Answered, 204)),
        (format!("GET /same HTTP/1.1\r\n{CLOSE}\r\n"), "304", "", (End::Answered, 304)),
        (
            format!("POST /note HTTP/1.1\r\n{CLOSE}{json}content-length: 14\r\n\r\n{{\"note\": \"hi\"}}"),
            "200",
            "\"hi\"",
            (End::Answered, 200),
        ),
        (
            format!(
                "POST /note HTTP/1.1\r\n{CLOSE}{json}{chunked}\r\n7\r\n{{\"note\"\r\n6\r\n:\"hi\"}}\r\n0\r\n\r\n"
            ),
            "200",
            "\"hi\"",
            (End::Answered, 200),
        ),
        (
            format!(
                "POST /note HTTP/1.1\r\n{CLOSE}{json}{chunked}\r\n{:x}\r\n{long}\r\n0\r\n\r\n",
                long.len()
            ),
            "413",
            "too_large",
            (End::Answered, 413),
        ),
        (
            format!("POST /note HTTP/1.1\r\n{CLOSE}{json}{chunked}\r\nzz\r\n{{}}\r\n0\r\n\r\n"),
            "400",
            "\"errors\":[{\"detail\":\"broke off\",\"pointer\":\"\"}]",
            (End::Answered, 400),
        ),
        (
            format!("POST /note HTTP/1.1\r\n{CLOSE}{json}content-length: {}\r\n\r\n{long}", long.len()),
            "413",
            "too_large",
            (End::Answered, 413),
        ),
    ];
    for (request, status, body, end) in table {
        let answer = site.ask(&request).await;
        let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{request}{answer}");
        assert!(if body.is_empty() { rest.is_empty() } else { rest.contains(body) }, "{request}{answer}");
        assert_eq!(site.spy.next().await, end, "{request}");
    }
    let head = site.ask(&format!("HEAD / HTTP/1.1\r\n{CLOSE}\r\n")).await;
    assert!(head.contains("content-length: 4\r\n"), "{head}");
    assert!(!site.get("/none").await.contains("content-length"), "RFC 9110, 8.6");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_read_as_it_is_meant() {
    let site = site().await;
    for (path, name) in [
        ("a%2Fb", "a/b"),
        ("%C3%A4%20b", "ä b"),
        ("a+b", "a+b"),
        ("%zz", "%zz"),
        ("%2e%2e", ".."),
        ("a;b=c", "a;b=c"),
    ] {
        let answer = site.get(&format!("/greet/{path}")).await;
        assert!(answer.ends_with(&format!("\r\n\r\n\"{name}\"")), "{path}: {answer}");
    }
    for nowhere in ["/greet/", "/greet", "/greet/a/b", "//", "/GREET/a", "/greet/%FF"] {
        assert!(site.get(nowhere).await.starts_with("HTTP/1.1 404"), "{nowhere}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_to_send_a_body_hears_first_whether_it_is_wanted() {
    let site = site().await;
    let head = |length: usize| {
        format!(
            "POST /note HTTP/1.1\r\n{CLOSE}content-type: application/json\r\nexpect: 100-continue\r\n\
             content-length: {length}\r\n\r\n"
        )
    };
    let mut wanted = site.open(&head(13)).await;
    assert_eq!(read_until(&mut wanted, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    wanted.write_all(b"{\"note\":\"hi\"}").await.unwrap();
    assert!(read(&mut wanted).await.starts_with("HTTP/1.1 200"));
    let mut unwanted = site.open(&head(101)).await;
    assert!(read(&mut unwanted).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_far_too_much_can_read_why_it_is_refused() {
    let site = site().await;
    let mut stream = site
        .open(&format!(
            "POST /note HTTP/1.1\r\n{CLOSE}content-type: application/json\r\ncontent-length: 8000000\r\n\r\n"
        ))
        .await;
    let (mut from, mut to) = stream.split();
    let mut answer = Vec::new();
    let send = async {
        // The server need not take it all.
        for _ in 0..1000 {
            if to.write_all(&[b'x'; 8000]).await.is_err() {
                break;
            }
        }
    };
    let (_, received) = tokio::join!(send, from.read_to_end(&mut answer));
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{received:?} {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgraded_connection_is_the_handlers() {
    let site = site().await;
    let mut stream = site
        .open("GET /upgrade HTTP/1.1\r\nhost: site\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        .await;
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert_eq!(site.spy.next().await, (End::Answered, 101));
    stream.write_all(b"ping").await.unwrap();
    let mut word = [0; 4];
    stream.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"ping");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_goes_well_while_the_server_leaves() {
    let site = site().await;
    let (_, head) = tokio::join!(site.lifecycle.stop(), async {
        site.lifecycle.leaving().await;
        let mut stream = site
            .open("GET /upgrade HTTP/1.1\r\nhost: site\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
            .await;
        let head = read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(b"ping").await.unwrap();
        stream.read_exact(&mut [0; 4]).await.unwrap();
        head
    });
    assert!(head.contains("connection: upgrade"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_resets_is_heard_wherever_it_was() {
    let site = site().await;
    let waiting = site.open("GET /hangs HTTP/1.1\r\nhost: site\r\n\r\n").await;
    site.stage.hangs.notified().await;
    reset(waiting);
    assert_eq!(site.spy.next().await, (End::Cancelled, 499), "while the handler runs");

    let mut listening = site.open("GET /endless HTTP/1.1\r\nhost: site\r\n\r\n").await;
    read_until(&mut listening, "tick").await;
    reset(listening);
    assert_eq!(site.spy.next().await, (End::Cancelled, 499), "while the body streams");

    let sending =
        "POST /note HTTP/1.1\r\nhost: site\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    reset(site.open(sending).await);
    // Whether the handler hears first that the body broke off, or the connection that its client has gone.
    let end = site.spy.next().await;
    assert!(end == (End::Cancelled, 499) || end == (End::Answered, 400), "{end:?}");

    let mut hearing = site.open("GET /events HTTP/1.1\r\nhost: site\r\n\r\n").await;
    read_until(&mut hearing, "first").await;
    assert_eq!(site.spy.next().await, (End::Streaming, 200));
    reset(hearing);
    eventually(SOON, async || site.stage.left.load(Ordering::SeqCst).then_some(())).await;
    assert!(site.get("/").await.ends_with("root"), "the server goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_a_stream_that_is_reset_is_heard_and_its_neighbours_go_on() {
    let (site, mut tasks) = (site().await, JoinSet::new());
    let mut sender = site.http2(&mut tasks).await;
    let waiting = sender.send_request(site.request("/hangs"));
    tokio::select! {
        _ = waiting => panic!("it hangs"),
        () = site.stage.hangs.notified() => {}
    }
    assert_eq!(site.spy.next().await, (End::Cancelled, 499), "while the handler runs");
    let mut listening = sender.send_request(site.request("/endless")).await.unwrap().into_body();
    listening.frame().await.unwrap().unwrap();
    drop(listening);
    assert_eq!(site.spy.next().await, (End::Cancelled, 499), "while the body streams");
    let head = http::Request::builder().method(Method::HEAD).uri(site.request("/").uri()).body(Empty::new());
    let head = sender.send_request(head.unwrap()).await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["content-length"]), (200, &"4".parse().unwrap()));
    assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
    let fine = sender.send_request(site.request("/greet/anna")).await.unwrap().into_body();
    assert_eq!(fine.collect().await.unwrap().to_bytes(), "\"anna\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_events_end_well_when_the_server_drains() {
    let (site, mut tasks) = (site().await, JoinSet::new());
    let mut one = site.open("GET /events HTTP/1.1\r\nhost: site\r\n\r\n").await;
    let head = read_until(&mut one, "first").await;
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    let mut sender = site.http2(&mut tasks).await;
    let mut two = sender.send_request(site.request("/events")).await.unwrap().into_body();
    let event = two.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(event, "id: 1\nevent: moved\ndata: \"first\"\n\n");
    let begun = tokio::time::Instant::now();
    let (rest, last, ()) = tokio::join!(read(&mut one), two.collect(), async { site.lifecycle.stop().await });
    assert!(rest.ends_with("0\r\n\r\n"), "the last chunk: {rest:?}");
    assert!(last.unwrap().to_bytes().is_empty(), "the end of the stream, and not its breaking off");
    assert!(begun.elapsed() < SOON / 2, "nobody waited for the grace period to end");
    assert_eq!(
        (site.spy.next().await, site.spy.next().await),
        ((End::Streaming, 200), (End::Streaming, 200))
    );
}

/// Asks again and again over a connection that is kept, and comes back when it is told to; counts whole answers.
async fn ask_by_http1(site: Arc<Site>, answered: Arc<AtomicUsize>) {
    let mut tasks = JoinSet::new();
    while let Ok(stream) = TcpStream::connect(site.address).await {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tasks.spawn(async { connection.await.unwrap_or(()) });
        while sender.ready().await.is_ok() {
            let Ok(rsp) = sender.send_request(site.request("/work")).await else { break };
            if rsp.into_body().collect().await.is_ok_and(|body| body.to_bytes() == "done") {
                answered.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

async fn ask_by_http2(
    site: Arc<Site>,
    mut sender: http2::SendRequest<Empty<Bytes>>,
    answered: Arc<AtomicUsize>,
) {
    while sender.ready().await.is_ok() {
        let Ok(rsp) = sender.send_request(site.request("/work")).await else { break };
        if rsp.into_body().collect().await.is_ok_and(|body| body.to_bytes() == "done") {
            answered.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_answered_while_the_server_stops_under_load() {
    let (site, answered) = (Arc::new(site().await), Arc::new(AtomicUsize::new(0)));
    let (mut clients, mut tasks) = (JoinSet::new(), JoinSet::new());
    for _ in 0..8 {
        clients.spawn(ask_by_http1(site.clone(), answered.clone()));
        let sender = site.http2(&mut tasks).await;
        for _ in 0..4 {
            clients.spawn(ask_by_http2(site.clone(), sender.clone(), answered.clone()));
        }
    }
    eventually(SOON, async || (answered.load(Ordering::SeqCst) > 1000).then_some(())).await;
    site.lifecycle.stop().await;
    clients.join_all().await;
    let begun = site.stage.begun.load(Ordering::SeqCst);
    assert_eq!(begun, answered.load(Ordering::SeqCst), "handlers that ran, and answers that came whole");
    let ends = site.spy.take();
    assert_eq!(ends.len(), begun);
    assert!(ends.into_iter().all(|end| end == (End::Answered, 200)));
}
