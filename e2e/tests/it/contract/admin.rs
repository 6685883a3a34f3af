//! The routes of administrators.

use e2e::shop::{Answer, fresh, product};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{contract, shop_with_an_old_token, usual_refusals};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_for_administrators() {
    let Some((shop, old)) = shop_with_an_old_token().await else { return };
    usual_refusals(&shop, "admin", &old).await;
    let (anna, admin) = (shop.register().await, shop.admin().await);

    // Orders.
    let (first, second) =
        (anna.paid_order(&[("claw-hammer", 1)]).await, anna.order(&[("claw-hammer", 1)]).await);
    let list = admin.call(Method::GET, "/v1/admin/orders?page_size=1").await.ok(200);
    assert_eq!(list["items"][0]["id"], second.id());
    let paid = admin.call(Method::GET, "/v1/admin/orders?status=paid").await.ok(200);
    assert!(paid["items"].as_array().unwrap().iter().any(|one| one["id"] == first.id()));
    admin.call(Method::GET, "/v1/admin/orders?status=lost").await.invalid("/status");
    for what in ["ship", "deliver", "refund"] {
        let path = |id: &str| format!("/v1/admin/orders/{id}/{what}");
        let post = |id: &str, body: Value| admin.call(Method::POST, &path(id)).json(&body);
        post("nowhere", json!({})).await.refused(404, "not_found");
        post(first.id(), json!({"reason": "x".repeat(201)})).await.invalid("/reason");
        let problem = post(second.id(), json!({})).await.refused(409, "illegal_transition");
        assert_eq!(problem["state"], "pending_payment");
    }
    assert_eq!(admin.ship(&first).await.ok(200)["status"], "shipped");
    assert_eq!(admin.deliver(&first).await.ok(200)["status"], "delivered");
    let refunded = admin.refund(&first).await.ok(200);
    assert_eq!(
        (&refunded["status"], &refunded["history"][5]["from"]),
        (&json!("refunded"), &json!("delivered"))
    );

    // Products.
    let wanted = product(7);
    let id = wanted["id"].as_str().unwrap();
    let made = admin.create(&wanted).await.ok(201);
    assert_eq!((&made["id"], &made["available"], &made["version"]), (&wanted["id"], &json!(7), &json!(1)));
    admin.create(&wanted).await.refused(409, "version_conflict");
    let mut wrong = product(-1);
    wrong["category_id"] = json!("nowhere");
    admin.create(&wrong).await.invalid("/on_hand");
    wrong["on_hand"] = json!(1);
    admin.create(&wrong).await.invalid("/category_id");

    let edited = admin.edit(id, 1, &json!({"name": "Another thing"})).await.ok(200);
    assert_eq!((&edited["name"], &edited["version"]), (&json!("Another thing"), &json!(2)));
    assert_eq!(edited["description"], wanted["description"], "what is left out stays as it is");
    admin.edit(id, 1, &json!({"name": "A third thing"})).await.refused(412, "precondition_failed");
    admin.edit("nowhere", 1, &json!({"name": "Nothing"})).await.refused(404, "not_found");
    admin.edit(id, 2, &json!({"name": ""})).await.invalid("/name");
    let path = format!("/v1/admin/products/{id}");
    let unconditional = admin.call(Method::PATCH, &path).json(&json!({"name": "x"}));
    unconditional.await.refused(428, "precondition_required");

    // Stock.
    let stock = |on_hand: i64, reserved: i64| json!({"product_id": id, "on_hand": on_hand, "reserved": reserved, "available": on_hand - reserved});
    assert_eq!(admin.stock_of(id).await.ok(200), stock(7, 0));
    admin.stock_of("nowhere").await.refused(404, "not_found");
    assert_eq!(admin.adjust(id, 3).await.ok(200), stock(10, 0));
    anna.order(&[(id, 4)]).await;
    assert_eq!(admin.adjust(id, -6).await.ok(200), stock(4, 4));
    admin.adjust(id, -1).await.refused(409, "out_of_stock");
    admin.adjust("nowhere", 1).await.refused(404, "not_found");
    admin.adjust(id, 1_000_001).await.invalid("/delta");
    let path = format!("/v1/admin/products/{id}/stock");
    let adjust =
        |delta: i64| admin.call(Method::POST, &path).json(&json!({"delta": delta, "reason": "counted"}));
    adjust(1).await.refused(400, "idempotency_key_missing");
    let key = fresh("key");
    assert_eq!(adjust(1).key(&key).await.ok(200), stock(5, 4));
    assert_eq!(adjust(1).key(&key).await.ok(200), stock(5, 4));
    adjust(2).key(&key).await.refused(422, "idempotency_key_reused");

    let mut met = false;
    for _ in 0..50 {
        let key = fresh("key");
        let answers: Vec<Answer> = join_all((0..8).map(|_| async { adjust(1).key(&key).await })).await;
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "idempotency_in_flight");
            met = true;
        }
        if met {
            break;
        }
    }
    assert!(met, "no request met another one under the same key");

    shop.covers(&contract(), "admin");
    shop.close().await;
}
