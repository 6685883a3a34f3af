//! RPC between real servers: found through discovery, balanced, and stopped without a lost call. The health service
//! that every server has is what is called.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use prost_types::FileDescriptorSet;
use prost_types::method_options::IdempotencyLevel;
use shared::error::{Code, Error, Violation};
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::pipeline::ambient::{self, Ambient};
use shared::rpc::{client, server};
use shared::serve::Connections;
use shared::telemetry::trace::Ids;
use shared::testing::eventually;
use shared::{clock, serve};
use tokio::net::TcpStream;
use tonic::service::Routes;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::world;

const KEY: &str = "health.rpc";

struct Server {
    lifecycle: Lifecycle,
}

impl Server {
    async fn start(registry: &str) -> Server {
        let lifecycle =
            Lifecycle::new("server", &Shutdown { beat: Duration::from_millis(50), ..Shutdown::default() });
        let listener = serve::bind("127.0.0.1", 0).await.unwrap();
        let conf = server::Conf {
            host: "127.0.0.1".to_owned(),
            registry: registry.to_owned(),
            key: KEY.to_owned(),
            ..server::Conf::default()
        };
        server::start(listener, Routes::default(), &[], &conf, &lifecycle).await.unwrap();
        Server { lifecycle }
    }
}

async fn client(registry: &str, lifecycle: &Lifecycle) -> HealthClient<client::Channel> {
    let conf = client::Conf { registry: registry.to_owned(), key: KEY.to_owned(), ..client::Conf::default() };
    let channel = client::connect(&conf, tonic_health::pb::FILE_DESCRIPTOR_SET, lifecycle).await.unwrap();
    HealthClient::new(channel)
}

fn all() -> HealthCheckRequest {
    HealthCheckRequest { service: String::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_come_and_go_and_no_call_is_lost() {
    let registry = "memory://rpc-come-and-go";
    let lifecycle = world::lifecycle();
    let first = Server::start(registry).await;
    let client = client(registry, &lifecycle).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let mut callers = tokio::task::JoinSet::new();
    let over = Arc::new(AtomicBool::new(false));
    for _ in 0..8 {
        let (mut client, calls, over) = (client.clone(), calls.clone(), over.clone());
        callers.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                client.check(all()).await.expect("no call is lost");
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let more = async || {
        let before = calls.load(Ordering::Relaxed);
        eventually(Duration::from_secs(20), async || {
            (calls.load(Ordering::Relaxed) > before + 200).then_some(())
        })
        .await;
    };
    more().await;
    let second = Server::start(registry).await;
    more().await;
    first.lifecycle.stop().await;
    more().await;
    let third = Server::start(registry).await;
    second.lifecycle.stop().await;
    more().await;
    over.store(true, Ordering::Relaxed);
    while let Some(caller) = callers.join_next().await {
        caller.expect("no call is lost");
    }
    third.lifecycle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_waits_for_the_first_server() {
    let registry = "memory://rpc-first";
    let lifecycle = world::lifecycle();
    let mut client = client(registry, &lifecycle).await;
    let (answer, _server) = tokio::join!(client.check(all()), Server::start(registry));
    assert!(answer.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_never_came_is_unavailable_before_the_deadline_of_the_request() {
    let lifecycle = world::lifecycle();
    let mut client = client("memory://rpc-nobody", &lifecycle).await;
    let (begun, deadline) = (clock::tick(), clock::tick() + 500_000_000);
    let around = Ambient { ids: Ids::root(), deadline: Some(deadline), service: "test" };
    let status = ambient::scope(around, client.check(all())).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert!(clock::tick() - begun >= 400_000_000, "it may have come still");
    // What the customer is told.
    let error = Error::from(status);
    assert_eq!((error.code(), error.retry()), (Code::Unavailable, Some(Duration::from_secs(1))));
    assert!(error.chain().contains("no address of the service is known"), "{}", error.chain());
}

/// A server that answers every call like this.
async fn fake(
    lifecycle: &Lifecycle,
    answer: impl Fn(&HeaderMap) -> tonic::Status + Clone + Send + Sync + 'static,
) -> String {
    let answer =
        async move |req: axum::extract::Request| answer(req.headers()).into_http::<axum::body::Body>();
    let listener = serve::bind("127.0.0.1", 0).await.unwrap();
    let router = axum::Router::new().fallback(answer);
    format!("fixed://{}", serve::start(listener, router, &Connections::default(), lifecycle).unwrap())
}

/// The health service, as if its contract said that calls may be sent twice.
fn idempotent() -> Vec<u8> {
    let mut set = FileDescriptorSet::decode(tonic_health::pb::FILE_DESCRIPTOR_SET).unwrap();
    let services = set.file.iter_mut().flat_map(|file| &mut file.service);
    for method in services.flat_map(|service| &mut service.method) {
        method.options.get_or_insert_default().set_idempotency_level(IdempotencyLevel::Idempotent);
    }
    set.encode_to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_attempt_tells_the_server_that_less_time_is_left() {
    let lifecycle = world::lifecycle();
    let told: Arc<Mutex<Vec<u64>>> = Arc::default();
    let seen = told.clone();
    let registry = fake(&lifecycle, move |headers| {
        let timeout = headers["grpc-timeout"].to_str().unwrap().strip_suffix('u').unwrap();
        seen.lock().unwrap().push(timeout.parse().unwrap());
        tonic::Status::unavailable("not now")
    });
    let conf = client::Conf { registry: registry.await, ..client::Conf::default() };
    let channel = client::connect(&conf, &idempotent(), &lifecycle).await.unwrap();
    let mut health = HealthClient::new(channel);
    assert_eq!(health.check(all()).await.unwrap_err().code(), tonic::Code::Unavailable);
    let mut brief = tonic::Request::new(all());
    brief.set_timeout(Duration::from_millis(700));
    health.check(brief).await.unwrap_err();
    let told = told.lock().unwrap().clone();
    assert!(matches!(told[..], [a, b, c, d] if 2_000_000 >= a && a > b && 700_000 >= c && c > d), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_with_many_faults_arrives_whole() {
    let lifecycle = world::lifecycle();
    let registry = fake(&lifecycle, |_| {
        let fault = |n| {
            Violation::new(format!("/items/{n}/quantity"), "only so many are left of it").with("available", n)
        };
        Error::new(Code::Conflict, "out_of_stock", "not all can be served")
            .violations((0..200).map(fault).collect())
            .into()
    });
    let mut client = client(&registry.await, &lifecycle).await;
    let error = Error::from(client.check(all()).await.unwrap_err());
    assert_eq!((error.code(), error.reason(), error.faults().len()), (Code::Conflict, "out_of_stock", 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_unavailable() {
    let lifecycle = world::lifecycle();
    // A port that was free a moment ago.
    let port = serve::bind("127.0.0.1", 0).await.unwrap().local_addr().unwrap().port();
    let mut client = client(&format!("fixed://127.0.0.1:{port}"), &lifecycle).await;
    assert_eq!(client.check(all()).await.unwrap_err().code(), tonic::Code::Unavailable);
}

#[test]
fn a_taken_port_is_said_in_words() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let holder = serve::bind("127.0.0.1", 0).await.unwrap();
        let port = holder.local_addr().unwrap().port();
        let error = serve::bind("127.0.0.1", port).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("port {port} of 127.0.0.1 is taken")), "{error}");
    });
}

#[tokio::test]
async fn a_caller_that_leaves_before_its_message_is_no_fault_of_the_server() {
    let lifecycle = world::lifecycle();
    let listener = serve::bind("127.0.0.1", 0).await.unwrap();
    let conf = server::Conf::default();
    let address = server::start(listener, Routes::default(), &[], &conf, &lifecycle).await.unwrap();
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), stream).await.unwrap();
    let req = Request::post(format!("http://{address}/grpc.health.v1.Health/Check"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Empty::new())
        .unwrap();
    tokio::select! {
        rsp = sender.send_request(req) => {
            let cancelled = (tonic::Code::Cancelled as i32).to_string();
            assert_eq!(rsp.unwrap().headers()["grpc-status"], cancelled.as_str());
        }
        ended = connection => panic!("{ended:?}"),
    }
}
