//! What the whole list allocates over a bare axum route. `make pipeline-cost` counts instructions, too.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::get;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Uri};
use http_body_util::BodyExt;
use shared::pipeline::auth::{Keys, Rules, Verifier};
use shared::rest::{Conf, Server, Spec};
use shared::telemetry::log;
use tower::ServiceExt;

use crate::token::Signer;
use crate::world;

const REQUESTS: u64 = 1000;
const PATTERN: &str = "/v1/things/{id}";

/// The line of the log: it is kept here, so it is a text of its own.
const CAPTURED: u64 = 1;
/// Who calls: the id and the role are the handler's own, and the two stand among the request's extensions.
const CALLER: u64 = 3;

/// A state, since a handler without one hides an allocation of the bare route.
async fn handler(State(text): State<&'static str>) -> &'static str {
    text
}

/// Allocations of one request, its answer read to the end.
fn allocations(router: &Router, token: &HeaderValue) -> u64 {
    // As hyper hands it over: a slice of what came in.
    let read = Bytes::from(b"GET /v1/things/7".to_vec());
    let ask = || {
        let mut req = Request::new(Body::empty());
        *req.uri_mut() = Uri::from_maybe_shared(read.slice(4..)).unwrap();
        req.headers_mut().insert(AUTHORIZATION, token.clone());
        let rsp = router.clone().oneshot(req).now_or_never().unwrap().unwrap();
        assert_eq!(rsp.status(), 200);
        rsp.into_body().collect().now_or_never().unwrap().unwrap();
    };
    // Handles are made when their code first occurs, a token is checked when it is first seen.
    ask();
    let counted = allocation_counter::measure(|| (0..REQUESTS).for_each(|_| ask()));
    // Blocks of headers and of captured lines come once in a hundred requests and more: whole numbers leave them out.
    counted.count_total / REQUESTS
}

#[tokio::test]
async fn the_whole_list_allocates_nothing_over_a_bare_route_but_the_caller() {
    log::capture();
    let (signer, keys) = (Signer::new(1), Keys::default());
    keys.replace(vec![signer.public()]);
    let verifier = Verifier::new(keys, &Rules::of("user-rpc", "order-api"));
    let server = Server::new(&Conf::default(), &world::lifecycle(), Some(verifier));
    let behind = |jwt| {
        let spec = Spec { jwt, ..Spec::new(Method::GET, PATTERN, "thing.get") };
        server.routes().add(&spec, handler).into_router("a thing")
    };
    let bare = Router::new().route(PATTERN, get(handler)).with_state("a thing");
    let bearer = Bytes::from(format!("Bearer {}", signer.token("anna", 600)));
    let token = HeaderValue::from_maybe_shared(bearer).unwrap();
    let bare = allocations(&bare, &token);
    assert_eq!(allocations(&behind(false), &token), bare + CAPTURED);
    assert_eq!(allocations(&behind(true), &token), bare + CAPTURED + CALLER);
}
