//! Requests one after the other, for callgrind to count: `pipeline_cost ROUTE COUNT` asks a bare axum route, or the same
//! handler behind the whole list. `deploy/pipeline-cost` runs it and takes the difference. No socket, no clock: it
//! measures instructions and allocations, not time.

#![expect(clippy::unwrap_used, reason = "a measurement, not a service")]

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::routing::get;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, Uri};
use http_body_util::BodyExt;
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::pipeline::auth::{Keys, Rules, Verifier};
use shared::rest::{Conf, Server, Spec};
use shared::telemetry::{Log, LogMode, log, metrics};
use tower::ServiceExt;

use crate::token::Signer;

#[path = "../tests/it/token.rs"]
mod token;

const PATTERN: &str = "/v1/things/{id}";

/// With a state and a parameter, as almost every handler has them.
async fn handler(State(text): State<&'static str>, Path(id): Path<String>) -> &'static str {
    assert_eq!(id, "7");
    text
}

/// `plain` has all concerns but auth, `jwt` has auth as well.
fn router(route: &str, signer: &Signer) -> Router {
    let keys = Keys::default();
    keys.replace(vec![signer.public()]);
    let verifier = Verifier::new(keys, &Rules::of("user-rpc", "order-api"));
    let lifecycle = Lifecycle::new("bench", &Shutdown::default());
    let server = Server::new(&Conf::default(), &lifecycle, Some(verifier));
    let spec = Spec { jwt: route == "jwt", ..Spec::new(Method::GET, PATTERN, "thing.get") };
    match route {
        "bare" => Router::new().route(PATTERN, get(handler)).with_state("a thing"),
        "plain" | "jwt" => server.routes().add(&spec, handler).into_router("a thing"),
        _ => panic!("there is no route {route}"),
    }
}

/// As hyper hands it over: names that it knows are no texts, and values are slices of what came in.
struct Read {
    head: Bytes,
    authorization: HeaderValue,
}

impl Read {
    fn request(&self) -> Request {
        let mut req = Request::new(Body::empty());
        *req.uri_mut() = Uri::from_maybe_shared(self.head.slice(4..)).unwrap();
        let traceparent = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        req.headers_mut().insert(HeaderName::from_static("traceparent"), traceparent);
        req.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
        req
    }
}

/// What callgrind counts, and nothing around it: starting the metrics spins for a while to learn the clock.
#[inline(never)]
fn ask(router: &Router, read: &Read) {
    let rsp = router.clone().oneshot(read.request()).now_or_never().unwrap().unwrap();
    assert_eq!(rsp.status(), 200);
    rsp.into_body().collect().now_or_never().unwrap().unwrap();
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [route, count] = arguments.as_slice() else { return };
    let Ok(count) = count.parse::<u64>() else { return };
    metrics::start().unwrap();
    let sink = Log { mode: LogMode::File, path: "/dev/null".into(), ..Log::default() };
    let _writer = log::start("bench", &sink).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _inside = runtime.enter();
    let signer = Signer::new(1);
    let bearer = Bytes::from(format!("Bearer {}", signer.token("anna", 3600)));
    let authorization = HeaderValue::from_maybe_shared(bearer).unwrap();
    let read = Read { head: Bytes::from(b"GET /v1/things/7".to_vec()), authorization };
    let router = router(route, &signer);
    // Handles are made when their code first occurs.
    ask(&router, &read);
    (0..count).for_each(|_| ask(&router, &read));
}
