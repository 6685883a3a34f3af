//! Administrators who edit the same product, and customers who order it meanwhile.

use e2e::shop::{Shop, address};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_edits_of_one_version_one_wins() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let product = admin.stock_up(1).await;
    for version in 1..=5 {
        let edits = (0..4).map(|at| {
            let (admin, product) = (&admin, &product);
            async move { admin.edit(product, version, &json!({"name": format!("Edit {version} {at}")})).await }
        });
        let answers = join_all(edits).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1);
        let won = &won[0];
        assert_eq!(won.body["version"], version + 1);
        assert_eq!(won.header("etag"), format!("\"{}\"", version + 1));
        for answer in lost {
            answer.refused(412, "precondition_failed");
        }
        let now = shop.call(Method::GET, &format!("/v1/products/{product}")).await.ok(200);
        assert_eq!(now["name"], won.body["name"]);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_shown_another_price_is_asked_again() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let product = admin.stock_up(5).await;
    let shown = anna.put_in_cart(&product, 2).await.ok(200)["total"].clone();
    let edit = json!({"price": {"amount": 2500, "currency": "EUR"}});
    admin.edit(&product, 1, &edit).await.ok(200);
    let place = |total: &serde_json::Value| {
        anna.post("/v1/orders", &json!({"address": address(), "expected_total": total})).once()
    };
    let problem = place(&shown).await.refused(409, "price_changed");
    assert_eq!(problem["total"], json!({"amount": 5000, "currency": "EUR"}));
    // The cart is as it was, and nothing is held.
    assert_eq!(anna.cart().await.ok(200)["items"][0]["quantity"], 2);
    assert_eq!(admin.stock_of(&product).await.ok(200)["reserved"], 0);
    let order = place(&problem["total"]).await.ok(201);
    assert_eq!(order["items"][0]["unit_price"]["amount"], 2500);
    // The price of an order is that of its time.
    admin.edit(&product, 2, &json!({"price": {"amount": 1, "currency": "EUR"}})).await.ok(200);
    let order = anna.look_at(&e2e::shop::Order(order)).await;
    assert_eq!(order.0["total"]["amount"], 5000);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sold_is_no_longer_available() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let product = admin.stock_up(5).await;
    let path = format!("/v1/products/{product}");
    let available = async || shop.call(Method::GET, &path).await.ok(200)["available"].as_i64().unwrap();
    let order = anna.order(&[(&product, 2)]).await;
    assert_eq!(available().await, 3);
    anna.cancel(&order).await.ok(200);
    shared::testing::eventually(e2e::shop::SOON, async || (available().await == 5).then_some(())).await;
    // Stock is no edit: the version, and so the tag, stays.
    assert_eq!(shop.call(Method::GET, &path).await.ok(200)["version"], 1);
    shop.close().await;
}
