//! The same request again: once means once, however often and however fast it comes.

use std::collections::BTreeSet;

use e2e::shop::{CARD_DECLINED, CARD_OK, Shop, fresh};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn one_key_makes_one_order_however_many_ask_at_once() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let product = admin.stock_up(100).await;
    for _ in 0..5 {
        let key = fresh("key");
        let place = || async { anna.place_without_key(&[(&product, 1)]).key(&key).await };
        let answers = join_all((0..8).map(|_| place())).await;
        let mut ids = BTreeSet::new();
        for answer in answers {
            if answer.status == 201 {
                ids.insert(answer.ok(201)["id"].as_str().unwrap().to_owned());
            } else {
                answer.refused(409, "idempotency_in_flight");
            }
        }
        assert_eq!(ids.len(), 1);
        // And the answer of afterwards is that of before.
        assert_eq!(place().await.ok(201)["id"], *ids.first().unwrap());
    }
    assert_eq!(admin.stock_of(&product).await.ok(200)["reserved"], 5);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_charges_once_and_a_decline_is_an_answer_too() {
    let shop = Shop::open().await;
    let anna = shop.register().await;
    let order = anna.order(&[("claw-hammer", 1)]).await;
    let path = format!("/v1/orders/{}/pay", order.id());
    let (declined, paid) = (fresh("key"), fresh("key"));
    for _ in 0..2 {
        anna.post(&path, &CARD_DECLINED.body()).key(&declined).await.refused(402, "payment_declined");
    }
    let pay = || async { anna.post(&path, &CARD_OK.body()).key(&paid).await };
    for answer in join_all((0..8).map(|_| pay())).await {
        if answer.status != 200 {
            answer.refused(409, "idempotency_in_flight");
        }
    }
    assert_eq!(pay().await.ok(200)["status"], "paid");
    // The order is paid, and still the old key tells the old story.
    anna.post(&path, &CARD_DECLINED.body()).key(&declined).await.refused(402, "payment_declined");
    let history = ["pending_payment", "paying", "pending_payment", "paying", "paid"];
    assert_eq!(anna.look_at(&order).await.history(), history);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_its_owners_alone() {
    let shop = Shop::open().await;
    let (anna, bert) = (shop.register().await, shop.register().await);
    let key = fresh("key");
    let place = async |who: &e2e::shop::Customer| {
        who.place_without_key(&[("claw-hammer", 1)]).key(&key).await.ok(201)["id"].clone()
    };
    assert_ne!(place(&anna).await, place(&bert).await);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_before_it_began_may_be_tried_again_under_its_key() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let product = admin.stock_up(0).await;
    let key = fresh("key");
    let place = || anna.place_without_key(&[(&product, 1)]).key(&key);
    place().await.refused(409, "out_of_stock");
    admin.adjust(&product, 1).await.ok(200);
    place().await.ok(201);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_is_adjusted_once_under_a_key() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let product = admin.stock_up(0).await;
    let (path, key) = (format!("/v1/admin/products/{product}/stock"), fresh("key"));
    let body = json!({"delta": 7, "reason": "a delivery"});
    let adjust = || async { admin.call(Method::POST, &path).json(&body).key(&key).await };
    for answer in join_all((0..8).map(|_| adjust())).await {
        if answer.status != 200 {
            answer.refused(409, "idempotency_in_flight");
        }
    }
    assert_eq!(adjust().await.ok(200)["on_hand"], 7);
    assert_eq!(admin.stock_of(&product).await.ok(200)["on_hand"], 7);
    shop.close().await;
}
