//! The routes of a customer's orders.

use std::future::IntoFuture;

use e2e::shop::{
    Answer, CARD_DECLINED, CARD_OK, Call, INCORRECT_CVC, INSUFFICIENT_FUNDS, Order, SOON, SUCCEEDS_LATER,
    Shop, address, fresh,
};
use futures_util::future::join_all;
use serde_json::json;
use shared::testing::eventually;

use crate::faults::tamper;

use super::{contract, shop_with_an_old_token, usual_refusals};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_about_orders() {
    let Some((shop, old)) = shop_with_an_old_token().await else { return };
    usual_refusals(&shop, "order", &old).await;
    placing(&shop).await;
    reading(&shop).await;
    paying(&shop).await;
    paying_for_what_is_gone(&shop).await;
    cancelling(&shop).await;
    watching(&shop).await;
    shop.covers(&contract(), "order");
    shop.close().await;
}

async fn placing(shop: &Shop) {
    let (anna, product) = (shop.register().await, shop.admin().await.stock_up(5).await);
    let answer = anna.place(&[(&product, 1), (&product, 2)]).await;
    let location = answer.header("location").to_owned();
    let order = answer.ok(201);
    assert_eq!(location, format!("/v1/orders/{}", order["id"].as_str().unwrap()));
    assert_eq!((&order["status"], &order["payment"]), (&json!("pending_payment"), &json!(null)));
    assert_eq!(order["items"].as_array().unwrap().len(), 1, "lines of one product are merged");
    assert_eq!(order["items"][0]["quantity"], 3);
    assert_eq!(order["total"], json!({"amount": 3 * 1999, "currency": "EUR"}));
    assert_eq!(order["address"]["country"], "AT");
    assert_eq!(order["history"][0]["to"], "pending_payment");
    assert_eq!(order["history"][0]["from"], json!(null));

    let problem = anna.place(&[("claw-hammer", 1), (&product, 3)]).await.refused(409, "out_of_stock");
    assert_eq!(problem["errors"][0]["pointer"], "/items/1/quantity");
    assert_eq!(problem["errors"][0]["available"], 2);
    anna.place(&[("claw-hammer", 1), ("nowhere", 1)]).await.invalid("/items/1/product_id");
    anna.place(&[(&product, 0)]).await.invalid("/items/0/quantity");
    let mut nowhere = address();
    nowhere["country"] = json!("Austria");
    anna.post("/v1/orders", &json!({"items": [], "address": nowhere}))
        .once()
        .await
        .invalid("/address/country");

    anna.place_without_key(&[(&product, 1)]).await.refused(400, "idempotency_key_missing");
    anna.place_cart().await.refused(400, "cart_empty");
    let expected = json!({"amount": 1, "currency": "EUR"});
    let body = json!({
        "items": [{"product_id": product, "quantity": 1}], "address": address(), "expected_total": expected,
    });
    let problem = anna.post("/v1/orders", &body).once().await.refused(409, "price_changed");
    assert_eq!(problem["total"], json!({"amount": 1999, "currency": "EUR"}));

    let key = fresh("key");
    let first = anna.place_without_key(&[(&product, 1)]).key(&key).await.ok(201);
    assert_eq!(anna.place_without_key(&[(&product, 1)]).key(&key).await.ok(201)["id"], first["id"]);
    anna.place_without_key(&[(&product, 2)]).key(&key).await.refused(422, "idempotency_key_reused");

    anna.put_in_cart(&product, 1).await.ok(200);
    let order = anna.place_cart().await.ok(201);
    assert_eq!(order["items"][0]["product_id"], product);
    assert!(anna.cart().await.ok(200)["items"].as_array().unwrap().is_empty(), "an ordered cart is empty");
    until_in_flight(201, async |key| {
        (0..6).map(|_| anna.place_without_key(&[("claw-hammer", 1)]).key(key)).collect()
    })
    .await;
}

/// Several calls at once under one key: at least one of them works, and sooner or later another comes while it does.
async fn until_in_flight(status: u16, round: impl AsyncFn(&str) -> Vec<Call>) {
    for _ in 0..50 {
        let answers = join_all(round(&fresh("key")).await.into_iter().map(IntoFuture::into_future)).await;
        let (done, refused): (Vec<Answer>, Vec<Answer>) =
            answers.into_iter().partition(|answer| answer.status == status);
        assert!(!done.is_empty(), "nobody got through");
        let is_over = !refused.is_empty();
        for answer in refused {
            answer.refused(409, "idempotency_in_flight");
        }
        assert!(done.windows(2).all(|pair| pair[0].body["id"] == pair[1].body["id"]));
        if is_over {
            return;
        }
    }
    panic!("no request met another one under the same key");
}

async fn reading(shop: &Shop) {
    let (anna, bert) = (shop.register().await, shop.register().await);
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(anna.order(&[("claw-hammer", 1)]).await);
    }
    anna.cancel(&made[0]).await.ok(200);
    let page = anna.get("/v1/orders?page_size=2").await.ok(200);
    let next = page["next_page_token"].as_str().unwrap();
    let rest = anna.get("/v1/orders?page_size=2").query("page_token", next).await.ok(200);
    let ids = page["items"].as_array().unwrap().iter().chain(rest["items"].as_array().unwrap());
    let newest_first: Vec<&str> = ids.map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(newest_first, made.iter().rev().map(Order::id).collect::<Vec<_>>());
    assert!(rest.get("next_page_token").is_none());
    let cancelled = anna.get("/v1/orders?status=cancelled").await.ok(200);
    assert_eq!(cancelled["items"].as_array().unwrap().len(), 1);
    anna.get("/v1/orders?status=lost").await.invalid("/status");
    anna.get("/v1/orders?page_size=2&status=paid").query("page_token", next).await.invalid("/page_token");

    assert_eq!(anna.look_at(&made[1]).await.0["id"], made[1].0["id"]);
    let path = format!("/v1/orders/{}", made[1].id());
    bert.get(&path).await.refused(404, "not_found");
    bert.get("/v1/orders/nowhere").await.refused(404, "not_found");
    assert!(bert.get("/v1/orders").await.ok(200)["items"].as_array().unwrap().is_empty());
}

async fn paying(shop: &Shop) {
    let (anna, bert) = (shop.register().await, shop.register().await);
    let order = anna.order(&[("claw-hammer", 1)]).await;
    let path = format!("/v1/orders/{}/pay", order.id());
    anna.post(&path, &CARD_OK.body()).await.refused(400, "idempotency_key_missing");
    for (member, value, pointer) in [
        ("number", json!("4242424242424241"), "/card/number"),
        ("exp_month", json!(13), "/card/exp_month"),
        ("cvc", json!("12"), "/card/cvc"),
    ] {
        let mut body = CARD_OK.body();
        body["card"][member] = value;
        anna.post(&path, &body).once().await.invalid(pointer);
    }
    let mut past = CARD_OK.body();
    past["card"]["exp_year"] = json!(2001);
    anna.post(&path, &past).once().await.refused(400, "invalid_argument");
    bert.pay(&order, CARD_OK).await.refused(404, "not_found");

    for (card, decline_code) in [
        (CARD_DECLINED, "card_declined"),
        (INSUFFICIENT_FUNDS, "insufficient_funds"),
        (INCORRECT_CVC, "incorrect_cvc"),
    ] {
        let problem = anna.pay(&order, card).await.refused(402, "payment_declined");
        assert_eq!(problem["decline_code"], decline_code);
        assert_eq!(anna.look_at(&order).await.status(), "pending_payment");
    }
    let key = fresh("key");
    let pay = || anna.post(&path, &CARD_OK.body()).key(&key);
    let paid = pay().await.ok(200);
    assert_eq!((&paid["status"], &paid["payment"]["card_last4"]), (&json!("paid"), &json!("4242")));
    assert!(paid["payment"]["paid_at"].is_string());
    assert_eq!(pay().await.ok(200)["id"], paid["id"]);
    anna.post(&path, &CARD_DECLINED.body()).key(&key).await.refused(422, "idempotency_key_reused");
    let problem = anna.pay(&order, CARD_OK).await.refused(409, "illegal_transition");
    assert_eq!(problem["state"], "paid");

    let order = anna.order(&[("claw-hammer", 1)]).await;
    assert_eq!(anna.pay(&order, SUCCEEDS_LATER).await.ok(202)["status"], "paying");
    anna.wait_for(&order, "paid").await;

    until_in_flight(200, async |key| {
        let order = anna.order(&[("claw-hammer", 1)]).await;
        let path = format!("/v1/orders/{}/pay", order.id());
        (0..6).map(|_| anna.post(&path, &CARD_OK.body()).key(key)).collect()
    })
    .await;
}

/// Where the clock of product-rpc runs ahead, a hold may end before its order does. When the customer pays it is made again,
/// if it can be.
async fn paying_for_what_is_gone(shop: &Shop) {
    let (anna, bert) = (shop.register().await, shop.register().await);
    let product = shop.admin().await.stock_up(1).await;
    let order = anna.order(&[(&product, 1)]).await;
    let ends = format!("UPDATE reservations SET expires_at = 1 WHERE order_id = '{}'", order.id());
    tamper(&shop.sources().unwrap().product, &ends).await;
    let instead = eventually(SOON, async || {
        let answer = bert.place(&[(&product, 1)]).await;
        (answer.status == 201).then_some(Order(answer.body))
    });
    let instead = instead.await;
    anna.pay(&order, CARD_OK).await.refused(409, "out_of_stock");
    assert_eq!(anna.look_at(&order).await.status(), "pending_payment");
    bert.cancel(&instead).await.ok(200);
    let paid = async || (anna.pay(&order, CARD_OK).await.status == 200).then_some(());
    eventually(SOON, paid).await;
}

async fn cancelling(shop: &Shop) {
    let (anna, bert) = (shop.register().await, shop.register().await);
    let order = anna.order(&[("claw-hammer", 1)]).await;
    bert.cancel(&order).await.refused(404, "not_found");
    let path = format!("/v1/orders/{}/cancel", order.id());
    anna.post(&path, &json!({"reason": "x".repeat(201)})).await.invalid("/reason");
    let cancelled = anna.post(&path, &json!({"reason": "changed my mind"})).await.ok(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["history"][1]["reason"], "changed my mind");
    let problem = anna.cancel(&order).await.refused(409, "illegal_transition");
    assert_eq!(problem["state"], "cancelled");
}

async fn watching(shop: &Shop) {
    let (anna, bert) = (shop.register().await, shop.register().await);
    let order = anna.order(&[("claw-hammer", 1)]).await;
    let mut watch = anna.watch(&order, None).await;
    let first = watch.next().await.unwrap();
    assert_eq!((first.id, first.status.as_str()), (1, "pending_payment"));
    let path = format!("/v1/orders/{}/events", order.id());
    bert.get(&path).await.refused(404, "not_found");
    anna.get(&path).header("Last-Event-ID", "-1").await.refused(400, "invalid_argument");
    anna.get(&path).header("Last-Event-ID", "x").await.refused(400, "invalid_argument");
}
