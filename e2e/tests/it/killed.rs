//! `kill -9` in the middle of what is neither ordering nor paying: money goes back once, stock is adjusted once, and who was
//! to get new tokens gets them.

use std::path::Path;

use e2e::shop::{Process, fresh};
use reqwest::Method;
use serde_json::json;
use shared::testing::eventually;

use crate::crash::{LONG, SHOP, services, start};
use crate::left::killed_at;

async fn start_to_die(folder: &Path, point: &str) -> Process {
    Process::start(SHOP, folder, services(), &["--crash-at", point]).await
}

async fn refund_killed_at(point: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut first = start_to_die(folder.path(), point).await;
    let anna = first.shop.register().await;
    let order = anna.paid_order(&[("claw-hammer", 2)]).await;
    assert!(anna.cancel(&order).send().await.is_err(), "{point}: it was answered");
    killed_at(point, &mut first, folder.path()).await;

    let second = start(folder.path(), &[]).await;
    let anna = anna.at(&second.shop);
    let payment = async || anna.look_at(&order).await.0["payment"]["status"].clone();
    eventually(LONG, async || (payment().await == "refunded").then_some(())).await;
    second.shop.audit().await;
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_money_goes_back() {
    refund_killed_at("before_refund").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_money_went_back() {
    refund_killed_at("after_refund").await;
}

async fn adjustment_killed_at(point: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut first = start_to_die(folder.path(), point).await;
    let admin = first.shop.admin().await;
    let product = admin.stock_up(10).await;
    let (path, key) = (format!("/v1/admin/products/{product}/stock"), fresh("key"));
    let body = json!({"delta": 7, "reason": "a delivery"});
    let answer = admin.call(Method::POST, &path).json(&body).key(&key).send().await;
    assert!(answer.is_err(), "{point}: it was answered");
    killed_at(point, &mut first, folder.path()).await;

    let second = start(folder.path(), &[]).await;
    let admin = second.shop.admin().await;
    let stock = eventually(LONG, async || {
        let answer = admin.call(Method::POST, &path).json(&body).key(&key).await;
        // Whoever died may still be at work, as far as can be told.
        (answer.status != 409).then(|| answer.ok(200))
    });
    assert_eq!(stock.await["on_hand"], 17);
    assert_eq!(admin.stock_of(&product).await.ok(200)["on_hand"], 17);
    second.shop.audit().await;
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_stock_is_adjusted() {
    adjustment_killed_at("before_stock_adjusted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_stock_was_adjusted() {
    adjustment_killed_at("after_stock_adjusted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_token_was_spent() {
    let (point, folder) = ("after_rotation", tempfile::tempdir().unwrap());
    let mut first = start_to_die(folder.path(), point).await;
    let anna = first.shop.register().await;
    assert!(anna.refresh().send().await.is_err(), "it was answered");
    killed_at(point, &mut first, folder.path()).await;

    let second = start(folder.path(), &[]).await;
    let anna = anna.at(&second.shop);
    let successor = anna.refresh().await.ok(200)["refresh_token"].clone();
    // Asked once more, it is the same: its answer may be lost again.
    assert_eq!(anna.refresh().await.ok(200)["refresh_token"], successor);
    second.shop.audit().await;
    second.kill().await;
}
