//! The code made of `contracts/tours.api` at work, behind real routes.

use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use futures_util::stream;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::pipeline::auth::{Caller, Keys, Rules, Verifier};
use shared::rest::{Conf, Middlewares, Server};
use tower::ServiceExt;

use crate::svc::ServiceContext;
use crate::{api, names, ping};

/// The routes of the tours, behind someone who knows every caller: `X-User` and `X-Role` say who it is.
struct Tours {
    router: Router,
    ctx: ServiceContext,
}

impl Tours {
    fn open() -> Tours {
        let conf =
            Conf { middlewares: Middlewares { auth: false, ..Middlewares::default() }, ..Conf::default() };
        let ctx = ServiceContext::default();
        let routes = api::routes(&server(&conf), &ctx);
        let router = routes.layer(axum::middleware::map_request(introduce));
        Tours { router, ctx }
    }

    async fn ask(&self, request: Request) -> Answer {
        let rsp = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = rsp.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer(Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap()))
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// As a customer who makes a tour.
    async fn create(&self, query: &str, body: &Value) -> Answer {
        let req = create(query).header("Idempotency-Key", "k1").header("Content-Type", "application/json");
        self.ask(req.body(Body::from(body.to_string())).unwrap()).await
    }
}

fn server(conf: &Conf) -> Server {
    let verifier = Verifier::new(Keys::default(), &Rules::of("tests", "tests"));
    Server::new(conf, &Lifecycle::new("tours", &Shutdown::default()), Some(verifier))
}

async fn introduce(mut req: Request) -> Request {
    let text = |name| req.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    if let (Some(id), role) = (text("x-user"), text("x-role")) {
        req.extensions_mut().insert(Caller { id, role: role.unwrap_or_default() });
    }
    req
}

fn create(query: &str) -> http::request::Builder {
    Request::post(format!("/v1/tours{query}")).header("X-User", "ada")
}

struct Answer(Response<String>);

impl Answer {
    #[track_caller]
    fn json(&self, status: StatusCode) -> Value {
        assert_eq!(self.0.status(), status, "{}", self.0.body());
        serde_json::from_str(self.0.body()).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.0.headers().get(name).unwrap().to_str().unwrap()
    }

    /// Of a 400: each pointer with what is wrong there.
    #[track_caller]
    fn violations(&self) -> Vec<(String, String)> {
        let problem = self.json(StatusCode::BAD_REQUEST);
        assert_eq!(problem["code"], "invalid_argument");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = problem["errors"].as_array().unwrap().iter();
        errors.map(|error| (text(&error["pointer"]), text(&error["detail"]))).collect()
    }

    #[track_caller]
    fn refused(&self, status: StatusCode, code: &str) {
        assert_eq!(self.json(status)["code"], code);
        assert_eq!(self.header("content-type"), "application/problem+json");
    }
}

#[track_caller]
fn assert_violations(answer: &Answer, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        expected.iter().map(|(at, detail)| ((*at).to_owned(), (*detail).to_owned())).collect();
    assert_eq!(answer.violations(), expected);
}

/// The least that makes a tour.
fn tour() -> Value {
    json!({
        "title": "Round the lake",
        "type": "walk",
        "stops": [{"name": "Pier", "latitude": 47.5, "longitude": 180}],
        "contact": {"email": "ada@example.com"},
    })
}

#[tokio::test]
async fn what_is_left_out_has_its_default_or_is_none() {
    let answer = Tours::open().create("", &tour()).await;
    let expected = json!({
        "id": "7",
        "title": "Round the lake",
        "type": "walk",
        "starts_at": null,
        "note": "none",
        "seats": 12,
        "stops": [{"name": "Pier", "latitude": 47.5, "longitude": 180.0}],
        "prices": {},
        "Extra": {
            "caller": "ada", "key": "k1", "dry_run": false, "email": "ada@example.com",
            "option": null, "sku": null, "extra": null,
        },
    });
    assert_eq!(answer.json(StatusCode::CREATED), expected);
    assert_eq!(answer.header("location"), "/v1/tours/7");
}

#[tokio::test]
async fn every_kind_of_value_is_read() {
    let mut tour = tour();
    tour["starts_at"] = json!("tomorrow");
    tour["note"] = json!("bring water");
    tour["seats"] = json!(1);
    tour["prices"] = json!({"adult": 1000, "child": 500});
    tour["remark"] = json!({"text": "Steep?", "reply": {"text": "No.", "reply": {"text": "Thanks!"}}});
    tour["option"] = json!({"members": ["Bob"], "discount": 0, "share": 0.25, "codes": [1, null, 255]});
    tour["sku"] = json!({"value": -1});
    tour["extra"] = json!({"anything": [true, null]});
    let made = Tours::open().create("?dry_run=true", &tour).await.json(StatusCode::CREATED);
    for name in ["starts_at", "note", "seats", "prices", "remark"] {
        assert_eq!(made[name], tour[name], "{name}");
    }
    assert_eq!(
        made["Extra"]["option"],
        json!({"members": ["Bob"], "discount": 0.0, "share": 0.25, "codes": [1, null, 255]})
    );
    assert_eq!(made["Extra"]["sku"], -1);
    assert_eq!(made["Extra"]["extra"], tour["extra"]);
    assert_eq!(made["Extra"]["dry_run"], true);
}

#[tokio::test]
async fn every_violation_is_told_at_once() {
    let body = json!({
        "titel": "Round the lake",
        "type": "swim",
        "starts_at": 7,
        "seats": 0,
        "stops": [{"name": "", "latitude": 91, "longitude": -180, "hight": 3}, 5],
        "prices": {"adult": "free", "child/baby": 1.5},
        "remark": {"text": "ok", "reply": {"text": 1}},
        "option": {"members": ["a", "b", "c"], "discount": 1, "share": 0, "codes": [256]},
        "sku": {"value": 0},
        "contact": {"email": "ada", "phone": "1"},
    });
    let req = create("?dry_run=maybe&dryrun=1").header("Idempotency-Key", "far too long");
    let req = req.header("Content-Type", "application/json").body(Body::from(body.to_string())).unwrap();
    let answer = Tours::open().ask(req).await;
    assert_violations(
        &answer,
        &[
            ("/dry_run", "must be true or false"),
            ("/dryrun", "is not known; did you mean dry_run?"),
            ("/Idempotency-Key", "must have 1 to 8 characters"),
            ("/title", "is required"),
            ("/type", "must be one of walk, ride"),
            ("/starts_at", "must be a string"),
            ("/seats", "must be between 1 and 1000000"),
            ("/stops/0/name", "must have 1 to 20 characters"),
            ("/stops/0/latitude", "must be at least -90 and at most 90"),
            ("/stops/0/longitude", "must be more than -180 and at most 180"),
            ("/stops/0/hight", "is not known"),
            ("/stops/1", "must be an object"),
            ("/prices/adult", "must be an integer"),
            ("/prices/child~1baby", "must be an integer"),
            ("/remark/reply/text", "must be a string"),
            ("/option/members", "must have at most 2 items"),
            ("/option/discount", "must be at least 0 and less than 1"),
            ("/option/share", "must be more than 0"),
            ("/option/codes/0", "must be between 0 and 255"),
            ("/sku/value", "must be at most -1"),
            ("/contact/email", "must be an e-mail address"),
            ("/contact/phone", "is not known"),
            ("/titel", "is not known; did you mean title?"),
        ],
    );
}

#[tokio::test]
async fn parameters_are_read_and_refused_like_members() {
    let tours = Tours::open();
    let seen =
        tours.get("/v1/tours?type=walk&type=ride&q=lake%20side&most_seats=7").await.json(StatusCode::OK);
    let expected = json!({"types": ["walk", "ride"], "input": "lake side", "most_seats": 7, "page_size": 20});
    assert_eq!(seen[0]["Extra"], expected);

    let answer =
        tours.get("/v1/tours?type=walk&type=swim&most_seats=-1&page_size=1.5&page_size=2&sort=name").await;
    assert_violations(
        &answer,
        &[
            ("/type/1", "must be one of walk, ride"),
            ("/most_seats", "must be between 0 and 65535"),
            ("/page_size", "must stand only once"),
            ("/sort", "is not known"),
        ],
    );
    assert_violations(&tours.get("/v1/tours/0").await, &[("/id", "must be at least 1")]);
    assert_violations(&tours.get("/v1/tours/seven").await, &[("/id", "must be an integer")]);
}

#[tokio::test]
async fn what_is_no_body_is_refused() {
    let tours = Tours::open();
    let post = |kind: &str, body: Body| {
        create("").header("Idempotency-Key", "k").header("Content-Type", kind).body(body).unwrap()
    };
    let json = "application/json";
    let answer = tours.ask(post("text/plain", Body::from("{}"))).await;
    answer.refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");
    let answer = tours.ask(post(json, Body::from(" ".repeat(1025)))).await;
    answer.refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    // One that does not say how long it is.
    let chunks = stream::iter((0..1000).map(|_| Ok::<_, std::io::Error>("          ")));
    let answer = tours.ask(post(json, Body::from_stream(chunks))).await;
    answer.refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    assert_violations(&tours.ask(post(json, Body::from("[]"))).await, &[("", "must be a JSON object")]);
    let answer = tours.ask(post(json, Body::from(r#"{"title": "a", "title": "b"}"#))).await;
    let [(at, detail)] = &answer.violations()[..] else { panic!("one violation") };
    assert!(at.is_empty() && detail.starts_with("is not JSON: a member stands twice"), "{detail}");
}

#[tokio::test]
async fn a_body_whose_fields_are_all_optional_may_be_left_out() {
    let move_it = |body: &'static str| {
        let req = Request::post("/v1/tours/7/move").header("X-User", "ada");
        req.header("Content-Type", "application/json").body(Body::from(body)).unwrap()
    };
    let tours = Tours::open();
    let bare = Request::post("/v1/tours/7/move").header("X-User", "ada").body(Body::empty()).unwrap();
    for req in [bare, move_it(""), move_it("{}"), move_it(r#"{"reason": null}"#)] {
        let problem = tours.ask(req).await.json(StatusCode::CONFLICT);
        assert_eq!((&problem["code"], &problem["state"]), (&json!("illegal_transition"), &json!("begun")));
        assert_eq!(problem["instance"], "/v1/tours/7/move");
    }
    let moved = tours.ask(move_it(r#"{"reason": "rain"}"#)).await.json(StatusCode::OK);
    let plain = json!({
        "id": "7", "title": "Round the lake", "type": "walk", "starts_at": null, "seats": 12, "stops": [],
        "prices": {},
    });
    assert_eq!(moved, plain, "what is optional is left out, what is nullable is null");
}

#[tokio::test]
async fn routes_without_answer_say_204() {
    let tours = Tours::open();
    let req = Request::delete("/v1/tours/7").header("X-User", "ada").body(Body::empty()).unwrap();
    let answer = tours.ask(req).await;
    assert_eq!((answer.0.status(), answer.0.body().as_str()), (StatusCode::NO_CONTENT, ""));
}

#[tokio::test]
async fn events_flow_from_where_the_client_left() {
    let tours = Tours::open();
    let req = Request::get("/v1/tours/7/events").header("Last-Event-ID", "41").body(Body::empty()).unwrap();
    let answer = tours.ask(req).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.0.body(), "id: 42\nevent: tour.moved\ndata: {\"seq\":42}\n\n");
    let req = Request::get("/v1/tours/x/events").header("Last-Event-ID", "last").body(Body::empty()).unwrap();
    let answer = tours.ask(req).await;
    assert_violations(&answer, &[("/id", "must be an integer"), ("/Last-Event-ID", "must be an integer")]);
}

#[tokio::test]
async fn what_no_route_answers_is_told_apart() {
    let tours = Tours::open();
    tours.get("/v1/cruises").await.refused(StatusCode::NOT_FOUND, "not_found");
    let answer = tours.ask(Request::put("/v1/tours").body(Body::empty()).unwrap()).await;
    answer.refused(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST, GET, HEAD");
}

#[tokio::test]
async fn middleware_stands_in_the_order_of_the_contract() {
    let tours = Tours::open();
    let reset = |role: &str| {
        let req = Request::post("/v1/admin/reset").header("X-User", "ada").header("X-Role", role);
        req.body(Body::empty()).unwrap()
    };
    tours.ask(reset("customer")).await.refused(StatusCode::FORBIDDEN, "forbidden");
    assert_eq!(tours.ctx.audited.load(Ordering::Relaxed), 0);
    assert_eq!(tours.ask(reset("admin")).await.0.status(), StatusCode::NO_CONTENT);
    assert_eq!(tours.ctx.audited.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_group_is_the_service_where_none_is_named() {
    assert_eq!(Tours::open().get("/types").await.json(StatusCode::OK), json!({"walk": 2}));
}

/// The routes of `contracts/names.api`.
fn names() -> Tours {
    let ctx = ServiceContext::default();
    Tours { router: names::routes(&server(&Conf::default()), &ctx), ctx }
}

fn post(path: &str, body: &Value) -> Request {
    let req = Request::post(path).header("Content-Type", "application/json");
    req.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn names_that_rust_has_are_no_matter() {
    let names = names();
    let vector = json!({
        "box": "a",
        "vec": [{"box": "b", "value": null}, {"box": "c", "value": null}],
        "value": {"box": "d", "value": {"box": "e", "value": null}},
        "result": {"x": [{}, null, {"loop": {"string": {"loop": {}}}}]},
    });
    let answer = names.ask(post("/match", &vector)).await.json(StatusCode::OK);
    assert_eq!(answer, json!([vector, null]));
    let vector = json!({"vec": [{"box": 1, "value": {}}], "result": {"x": [{"loop": {"strung": 1}}, 2]}});
    assert_violations(
        &names.ask(post("/match", &vector)).await,
        &[
            ("/box", "is required"),
            ("/vec/0/box", "must be a string"),
            ("/vec/0/value/box", "is required"),
            ("/result/x/0/loop/strung", "is not known; did you mean string?"),
            ("/result/x/1", "must be an object"),
        ],
    );
    assert_eq!(names.get("/types").await.json(StatusCode::OK), json!({"none": {}}));
    assert_eq!(names.get("/list-types").await.0.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn numbers_reach_the_ends_of_their_types() {
    let names = names();
    let defaults = names.ask(post("/async", &json!({"request": {}}))).await.json(StatusCode::OK);
    assert_eq!((defaults["least"].as_i64(), defaults["most"].as_u64()), (Some(i64::MIN), Some(u64::MAX)));
    assert_eq!(defaults["float"].as_f64(), Some(0.123_456_79));
    let body =
        r#"{"request": {}, "least": 9223372036854775808, "most": 18446744073709551616, "float": 1e39}"#;
    let req = Request::post("/async").header("Content-Type", "application/json");
    assert_violations(
        &names.ask(req.body(Body::from(body)).unwrap()).await,
        &[
            ("/least", "must be between -9223372036854775808 and 9223372036854775807"),
            ("/most", "must be an integer"),
            ("/float", "is too large a number"),
        ],
    );
    let req = json!({"request": {"a": 1}, "members": [0, 6, 3]});
    assert_violations(
        &names.ask(post("/async", &req)).await,
        &[
            ("/request/a", "is not known"),
            ("/members/0", "must be between 1 and 5"),
            ("/members/1", "must be between 1 and 5"),
            ("/members", "must have 1 to 2 items"),
        ],
    );
}

#[tokio::test]
async fn head_may_have_a_handler_of_its_own() {
    let names = names();
    assert_eq!(names.get("/list").await.json(StatusCode::OK), "a list");
    let answer = names.ask(Request::head("/list").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.0.status(), StatusCode::NO_CONTENT);
    let answer = names.ask(Request::put("/list").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("allow"), "GET, HEAD");
}

#[tokio::test]
async fn a_contract_without_types_has_routes() {
    let router = ping::routes(&server(&Conf::default()), &ServiceContext::default());
    let tours = Tours { router, ctx: ServiceContext::default() };
    assert_eq!(tours.get("/ping").await.0.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_route_with_jwt_needs_a_caller() {
    // Without auth it is the handler that misses the caller, with it the pipeline.
    let body = || Body::from(tour().to_string());
    let anonymous = |req: http::request::Builder| req.header("Idempotency-Key", "k").body(body()).unwrap();
    let answer = Tours::open().ask(anonymous(Request::post("/v1/tours"))).await;
    answer.refused(StatusCode::UNAUTHORIZED, "unauthenticated");
    let router = api::routes(&server(&Conf::default()), &ServiceContext::default());
    let tours = Tours { router, ctx: ServiceContext::default() };
    tours
        .ask(anonymous(Request::post("/v1/tours")))
        .await
        .refused(StatusCode::UNAUTHORIZED, "unauthenticated");
    assert_eq!(tours.get("/v1/tours").await.0.status(), StatusCode::OK);
}
