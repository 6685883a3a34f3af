//! What holds for every route: refusals before logic, faults behind the gateway, and the trace.

use std::time::Duration;

use proto::order::v1::{Cart, GetCartRequest};
use proto::product::v1::{GetProductRequest, Item, ListCategoriesRequest, ListCategoriesResponse};
use serde_json::json;
use shared::error::{Code, Error};

use crate::answer::Answer;
use crate::samples::{address_json, kettle};
use crate::world::World;

#[tokio::test]
async fn what_no_route_answers_is_said() {
    let world = World::new("unmatched").await;
    for path in ["/", "/v1", "/v1/nothing", "/v1/orders/x/pay/twice", "/v1/products/%FF"] {
        world.get(path).await.problem(404, "not_found");
    }
    let refused = [
        ("DELETE", "/v1/users/me", "GET, HEAD"),
        ("POST", "/v1/cart", "GET, HEAD, DELETE"),
        ("PATCH", "/v1/orders", "POST, GET, HEAD"),
        ("POST", "/pictures/x.svg", "GET, HEAD"),
    ];
    for (method, path, allowed) in refused {
        let answer = Answer::to(world.request(method, path)).await;
        answer.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_is_json_of_a_bounded_length() {
    let world = World::new("bodies").await;
    let login = || world.request("POST", "/v1/users/login");
    let form = login().header("content-type", "application/x-www-form-urlencoded").body("email=a");
    Answer::to(form).await.problem(415, "unsupported_media_type");
    Answer::to(login().body("{}")).await.problem(415, "unsupported_media_type");
    let broken = login().header("content-type", "application/json").body("{\"email\":");
    assert_eq!(Answer::to(broken).await.faults(), [""]);
    let large = json!({"email": "ada@example.com", "password": "x".repeat(20_000)});
    Answer::to(login().json(&large)).await.problem(413, "too_large");
    let large = json!({"address": address_json(), "items": "x".repeat(70_000)});
    let large = world.as_customer("POST", "/v1/orders").header("idempotency-key", "k").json(&large);
    Answer::to(large).await.problem(413, "too_large");
}

#[tokio::test]
async fn a_fault_behind_the_gateway_keeps_its_cause_to_itself() {
    let world = World::new("faults-behind").await;
    // A method that has no answer.
    let answer = world.get("/v1/categories").await;
    assert_eq!(answer.problem(500, "internal")["detail"], "something went wrong on our side");
    world.product.on("list_categories", |_: ListCategoriesRequest| {
        Err::<ListCategoriesResponse, _>(Error::internal("the password of the database is 123"))
    });
    let answer = world.get("/v1/categories").await;
    answer.problem(500, "internal");
    assert!(!answer.body.to_string().contains("123"), "{}", answer.body);
    world.product.on("list_categories", |_: ListCategoriesRequest| {
        Err::<ListCategoriesResponse, _>(
            Error::unavailable("the database does not answer").retry_after(Duration::from_millis(2500)),
        )
    });
    let answer = world.get("/v1/categories").await;
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "3");
    world.product.on("list_categories", |_: ListCategoriesRequest| {
        Err::<ListCategoriesResponse, _>(Error::of(Code::DeadlineExceeded, "too late"))
    });
    world.get("/v1/categories").await.problem(504, "deadline_exceeded");
    // A service that breaks its contract.
    world.order.on("get_cart", |_: GetCartRequest| Ok(Cart { items: vec![], total: None }));
    Answer::to(world.as_customer("GET", "/v1/cart")).await.problem(500, "internal");
}

#[tokio::test]
async fn a_service_that_is_not_there_costs_no_more_than_the_routes_time() {
    let world = World::alone("nobody-behind", |listen, _| listen.timeout = Duration::from_millis(100)).await;
    world.get("/v1/categories").await.problem(503, "unavailable");
}

#[tokio::test]
async fn a_trace_that_comes_in_goes_on_behind_the_gateway() {
    let world = World::new("trace").await;
    world.product.on("get_product", |_: GetProductRequest| Ok::<Item, _>(kettle()));
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    for path in ["/v1/products/enamel-kettle", "/v1/nothing", "/pictures/nothing.svg", "/v1/cart"] {
        let answer = Answer::to(world.request("GET", path).header("traceparent", &traceparent)).await;
        assert_eq!(answer.header("x-trace-id"), trace, "{path}");
    }
    let behind = world.product.traceparents();
    assert_eq!(behind.len(), 1);
    assert!(behind[0].starts_with(&format!("00-{trace}-")) && behind[0] != traceparent, "{behind:?}");
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let world = World::new("head").await;
    world.product.on("get_product", |_: GetProductRequest| Ok(kettle()));
    let answer = Answer::to(world.request("HEAD", "/v1/products/enamel-kettle")).await;
    assert_eq!((answer.status, answer.header("etag")), (200, "\"3\""));
    assert!(answer.body.is_null());
}
