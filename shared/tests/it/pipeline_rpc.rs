//! What the pipeline hears of gRPC: from a real tonic server and client, and from bodies that no honest server sends.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, request};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use shared::pipeline::recover::Recover;
use shared::pipeline::timeout::Timeout;
use shared::pipeline::trace::Trace;
use shared::pipeline::{Admit, Concern, Cx, End, Pick, Pipeline, Protocol, Side, ambient};
use shared::serve;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::{Layer, ServiceExt};

use crate::spy::Spy;

const SOON: Duration = Duration::from_secs(10);

impl Spy {
    fn list(&self, side: Side, timeout: Duration) -> Pick {
        let list = Pipeline::of("test", side, Protocol::Grpc)
            .on(true, Recover::of("test"))
            .on(true, self.clone())
            .on(true, Timeout::of(timeout));
        Pick::One(list.build())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_of_a_real_call_hear_the_same_code() {
    let (server, client) = (Spy::default(), Spy::default());
    let listener = serve::bind("127.0.0.1", 0).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let mut tasks = JoinSet::new();
    let layer = server.list(Side::Server, SOON);
    tasks.spawn(
        tonic::transport::Server::builder()
            .layer(layer)
            .add_service(health)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let address = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = client.list(Side::Client, SOON).layer(address.connect().await.unwrap());
    let mut health = HealthClient::new(channel);
    let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };

    health.check(ask("")).await.unwrap();
    assert_eq!((server.next().await, client.next().await), ((End::Answered, 0), (End::Answered, 0)));

    let refused = health.check(ask("nobody")).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound);
    assert_eq!((server.next().await, client.next().await), ((End::Answered, 5), (End::Answered, 5)));

    // Half-way through a stream the caller goes away.
    let mut watch = health.watch(ask("")).await.unwrap().into_inner();
    watch.message().await.unwrap();
    drop(watch);
    assert_eq!((server.next().await, client.next().await), ((End::Cancelled, 1), (End::Cancelled, 1)));
}

#[derive(Debug, Clone, Copy)]
enum Does {
    Fails,
    EndsLate,
    ForgetsTrailers,
    NotGrpc,
    Panics,
    PanicsInBody,
    Hangs,
    HangsInBody,
}

fn trailers(code: u16) -> Frame<Bytes> {
    Frame::trailers(HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from(code),
    )]))
}

async fn answer(does: Does) -> Result<Response, Infallible> {
    let data = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x")));
    let body = match does {
        Does::Fails => {
            return Ok(Response::builder().header("grpc-status", "9").body(Body::empty()).unwrap());
        }
        Does::NotGrpc => return Ok(Response::builder().status(502).body(Body::empty()).unwrap()),
        Does::Panics => panic!("in the method"),
        Does::Hangs => std::future::pending().await,
        Does::EndsLate => Body::new(StreamBody::new(stream::iter([data(), Ok(trailers(15))]))),
        Does::ForgetsTrailers => Body::new(StreamBody::new(stream::iter([data()]))),
        Does::PanicsInBody => Body::new(StreamBody::new(stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> { panic!("in the body") },
        ))),
        Does::HangsInBody => {
            Body::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>()))
        }
    };
    Ok(Response::new(body))
}

#[tokio::test(start_paused = true)]
async fn the_status_counts_wherever_it_stands() {
    let table = [
        (Does::Fails, End::Answered, 9),
        (Does::EndsLate, End::Answered, 15),
        (Does::ForgetsTrailers, End::Failed, 2),
        (Does::NotGrpc, End::Failed, 2),
        (Does::Panics, End::Panicked, 13),
        (Does::PanicsInBody, End::Panicked, 13),
        (Does::Hangs, End::TimedOut, 4),
        (Does::HangsInBody, End::TimedOut, 4),
    ];
    for (does, end, code) in table {
        let spy = Spy::default();
        let service = tower::service_fn(move |_: Request| answer(does));
        let piped = spy.list(Side::Server, Duration::from_secs(1)).layer(service);
        let rsp = piped.oneshot(Request::new(Body::empty())).await.unwrap();
        let head = rsp.headers().get("grpc-status").cloned();
        let body = rsp.into_body().collect().await.unwrap();
        let told = head.or_else(|| body.trailers()?.get("grpc-status").cloned());
        assert_eq!(spy.take(), [(end, code)], "{does:?}");
        if !matches!(does, Does::ForgetsTrailers | Does::NotGrpc) {
            assert_eq!(told.unwrap(), code.to_string(), "the caller of {does:?} is told");
        }
    }
}

/// A guard's shape: it asks for one turn of the executor, then for a wait.
struct Guard;

impl Concern for Guard {
    fn name(&self) -> &'static str {
        "guard"
    }

    fn admit(&self, cx: &mut Cx, _: &mut request::Parts) -> Admit {
        *cx.note() += 1;
        match *cx.note() {
            1 => Admit::Again,
            _ => Admit::Later(Box::pin(async {
                tokio::task::yield_now().await;
                Ok(())
            })),
        }
    }
}

#[tokio::test]
async fn interleaved_requests_never_see_each_others_ids() {
    let list =
        Pipeline::of("test", Side::Server, Protocol::Grpc).on(true, Trace::client()).on(true, Guard).build();
    let service = tower::service_fn(async |_: Request| {
        let ids = ambient::current().unwrap().ids;
        for _ in 0..50 {
            tokio::task::yield_now().await;
            assert_eq!(ambient::current().unwrap().ids, ids);
        }
        let mut rsp = Response::new(Body::empty());
        rsp.headers_mut().insert("grpc-status", HeaderValue::from(0));
        rsp.headers_mut().insert("seen", HeaderValue::from_bytes(&ids.trace_hex()).unwrap());
        Ok::<_, Infallible>(rsp)
    });
    let piped = Pick::One(list).layer(service);
    let answers =
        futures_util::future::join_all((0..20).map(|_| piped.clone().oneshot(Request::new(Body::empty()))))
            .await;
    assert!(ambient::current().is_none());
    let seen: std::collections::HashSet<_> =
        answers.into_iter().map(|rsp| rsp.unwrap().headers()["seen"].clone()).collect();
    assert_eq!(seen.len(), 20, "each request has a trace of its own");
}

/// With `tracing/log` every span and event may ask the `log` crate as well: hundreds of instructions a request. sqlx does
/// not let it be switched off; nobody else may ask for it, so that it goes the day sqlx lets go of it.
#[test]
fn nobody_but_sqlx_makes_tracing_ask_the_log_crate() {
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "shared", "--edges", "features,normal"])
        .args(["--invert", "tracing", "--prefix", "depth", "--depth", "2"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8_lossy(&tree.stdout);
    let mut lines = tree.lines();
    assert!(lines.next().unwrap().starts_with("0tracing v"), "cargo tree answered: {tree}");
    let users = lines.skip_while(|line| *line != "1tracing feature \"log\"").skip(1);
    for user in users.take_while(|line| line.starts_with('2')) {
        assert!(user.starts_with("2sqlx-"), "{user}");
    }
}
