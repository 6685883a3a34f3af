//! Tokens that are stolen, lost and asked for at once.

use std::collections::BTreeSet;

use e2e::shop::Shop;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_asked_for_at_once_has_one_successor() {
    let shop = Shop::open().await;
    let anna = shop.register().await;
    let refresh =
        |token: &str| shop.call(Method::POST, "/v1/users/refresh").json(&json!({"refresh_token": token}));
    let all = join_all((0..8).map(|_| async { refresh(&anna.refresh_token).await.ok(200) })).await;
    let successors: BTreeSet<&str> = all.iter().map(|one| one["refresh_token"].as_str().unwrap()).collect();
    assert_eq!(successors.len(), 1, "{successors:?}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_costs_the_thief_and_the_owner_their_session_and_no_other() {
    let shop = Shop::open().await;
    let anna = shop.register().await;
    let other = anna.again().await;
    let refresh =
        |token: &Value| shop.call(Method::POST, "/v1/users/refresh").json(&json!({"refresh_token": token}));
    let owner = refresh(&json!(anna.refresh_token)).await.ok(200);
    let owner = refresh(&owner["refresh_token"]).await.ok(200);
    refresh(&json!(anna.refresh_token)).await.refused(401, "token_reused");
    refresh(&owner["refresh_token"]).await.refused(401, "token_reused");
    refresh(&json!(other.refresh_token)).await.ok(200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_registers_once_however_many_try() {
    let shop = Shop::open().await;
    let body = json!({"email": format!("{}@example.com", e2e::shop::fresh("c")), "password": "correct horse battery", "name": "C"});
    let all =
        join_all((0..6).map(|_| async { shop.call(Method::POST, "/v1/users/register").json(&body).await }))
            .await;
    let (made, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1);
    for answer in refused {
        answer.refused(409, "email_taken");
    }
    shop.close().await;
}
