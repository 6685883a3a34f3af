//! Who may do what, and the keys by which the gateway knows.

use std::time::Duration;

use http::StatusCode;
use proto::order::v1::{Cart, GetCartRequest};
use proto::user::v1::{ListKeysRequest, ListKeysResponse};
use serde_json::json;
use shared::pipeline::auth::Claims;
use shared::testing::eventually;

use crate::answer::Answer;
use crate::samples;
use crate::token::{Signer, claims};
use crate::world::{CUSTOMER, WAIT, World};

const OF_USERS: [(&str, &str); 10] = [
    ("GET", "/v1/users/me"),
    ("GET", "/v1/cart"),
    ("PUT", "/v1/cart/items/x"),
    ("DELETE", "/v1/cart/items/x"),
    ("DELETE", "/v1/cart"),
    ("POST", "/v1/orders"),
    ("GET", "/v1/orders/x"),
    ("POST", "/v1/orders/x/pay"),
    ("POST", "/v1/orders/x/cancel"),
    ("GET", "/v1/orders/x/events"),
];

const OF_ADMINS: [(&str, &str); 8] = [
    ("GET", "/v1/admin/orders"),
    ("POST", "/v1/admin/orders/x/ship"),
    ("POST", "/v1/admin/orders/x/deliver"),
    ("POST", "/v1/admin/orders/x/refund"),
    ("POST", "/v1/admin/products"),
    ("PATCH", "/v1/admin/products/x"),
    ("GET", "/v1/admin/products/x/stock"),
    ("POST", "/v1/admin/products/x/stock"),
];

#[tokio::test]
async fn without_a_token_nothing_of_a_user_is_reached() {
    let world = World::new("auth-none").await;
    for (method, path) in OF_USERS.into_iter().chain(OF_ADMINS) {
        Answer::to(world.request(method, path)).await.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_customer_is_no_administrator() {
    let world = World::new("auth-role").await;
    for (method, path) in OF_ADMINS {
        Answer::to(world.as_customer(method, path)).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn a_token_must_be_signed_for_us_and_of_today() {
    let world = World::new("auth-bad").await;
    let good = claims(CUSTOMER, "admin");
    let past = good.iat - 3600;
    let refused = [
        ("unauthenticated", "a.b.c".to_owned()),
        ("unauthenticated", Signer::new(2).sign(&good)),
        ("unauthenticated", world.signer.sign(&Claims { aud: "others".to_owned(), ..good.clone() })),
        ("unauthenticated", world.signer.sign(&Claims { iss: "others".to_owned(), ..good.clone() })),
        ("unauthenticated", world.signer.sign(&Claims { nbf: good.nbf + 3600, ..good.clone() })),
        (
            "token_expired",
            world.signer.sign(&Claims { iat: past, nbf: past, exp: past + 60, ..good.clone() }),
        ),
    ];
    for (code, token) in refused {
        let answer = Answer::to(world.request("GET", "/v1/admin/orders").bearer_auth(&token)).await;
        answer.problem(401, code);
    }
    let basic = world.request("GET", "/v1/cart").basic_auth("ada", Some("x"));
    Answer::to(basic).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_public_keys_are_shown() {
    let world = World::new("jwks").await;
    let public = world.signer.public();
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": public.kid, "x": public.x,
    });
    assert_eq!(world.get("/.well-known/jwks.json").await.body(200), json!({"keys": [key]}));
}

/// A client keeps its token until somebody can say whether it is good.
#[tokio::test]
async fn until_there_are_keys_nobody_is_turned_away_for_good() {
    let world = World::alone("no-keys", |_, own| own.keys.pause = Duration::from_millis(20)).await;
    let reason = world.lifecycle.ready().await.unwrap_err();
    assert_eq!(reason, "order-api: the keys of access tokens: user-rpc has not told them yet");
    let early = Answer::to(world.as_customer("GET", "/v1/cart")).await;
    early.problem(503, "unavailable");
    assert_eq!(early.header("retry-after"), "1");
    world.get("/.well-known/jwks.json").await.problem(503, "unavailable");
    Answer::to(world.request("GET", "/v1/cart")).await.problem(401, "unauthenticated");
    let keys = ListKeysResponse { keys: vec![world.signer.public()] };
    world.user.on("list_keys", move |_: ListKeysRequest| Ok(keys.clone()));
    world.serve_user().await;
    eventually(WAIT, async || world.lifecycle.ready().await.ok()).await;
    world.get("/.well-known/jwks.json").await.body(200);
}

#[tokio::test]
async fn a_key_that_is_new_is_learned_soon_and_one_that_is_gone_forgotten() {
    let world = World::with("rotation", |_, own| own.keys.pause = Duration::from_millis(20)).await;
    world.order.on("get_cart", |_: GetCartRequest| Ok::<Cart, _>(samples::cart()));
    let cart = async |token: &str| {
        world.request("GET", "/v1/cart").bearer_auth(token).send().await.unwrap().status()
    };
    let old = world.signer.token(CUSTOMER, "customer");
    assert_eq!(cart(&old).await, StatusCode::OK);
    let next = Signer::new(2);
    let keys = ListKeysResponse { keys: vec![next.public()] };
    world.user.on("list_keys", move |_: ListKeysRequest| Ok(keys.clone()));
    let new = next.token(CUSTOMER, "customer");
    eventually(WAIT, async || (cart(&new).await == StatusCode::OK).then_some(())).await;
    assert_eq!(cart(&old).await, StatusCode::UNAUTHORIZED);
}

/// Anybody can send tokens with unknown keys; user-rpc must not feel it.
#[tokio::test]
async fn invented_keys_do_not_make_the_gateway_ask_more_often_than_it_may() {
    let world = World::with("invented-keys", |_, own| own.keys.pause = Duration::from_secs(3600)).await;
    let before = world.user.asked::<ListKeysRequest>("list_keys").len();
    for number in 2..20 {
        let token = Signer::new(number).token(CUSTOMER, "customer");
        let answer = Answer::to(world.request("GET", "/v1/cart").bearer_auth(token)).await;
        answer.problem(401, "unauthenticated");
    }
    assert_eq!(world.user.asked::<ListKeysRequest>("list_keys").len(), before);
}
