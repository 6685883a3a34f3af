//! The routes of the cart.

use e2e::shop::Shop;
use serde_json::{Value, json};

use super::{contract, shop_with_an_old_token, usual_refusals};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_about_carts() {
    let Some((shop, old)) = shop_with_an_old_token().await else { return };
    usual_refusals(&shop, "cart", &old).await;
    let (anna, bert) = (shop.register().await, shop.register().await);
    let lines = |cart: &Value| -> Vec<(String, i64)> {
        let line =
            |one: &Value| (one["product_id"].as_str().unwrap().to_owned(), one["quantity"].as_i64().unwrap());
        cart["items"].as_array().unwrap().iter().map(line).collect()
    };

    let empty = anna.cart().await.ok(200);
    assert!(lines(&empty).is_empty());
    assert_eq!(empty["total"]["amount"], 0);
    anna.put_in_cart("claw-hammer", 2).await.ok(200);
    // Set, not added.
    let cart = anna.put_in_cart("claw-hammer", 3).await.ok(200);
    assert_eq!(lines(&cart), [("claw-hammer".to_owned(), 3)]);
    let line = &cart["items"][0];
    assert_eq!(line["line_total"]["amount"], json!(line["unit_price"]["amount"].as_i64().unwrap() * 3));
    assert_eq!(cart["total"], line["line_total"]);
    anna.put_in_cart("nowhere", 1).await.refused(404, "not_found");
    for quantity in [0, 100, -1] {
        anna.put_in_cart("claw-hammer", quantity).await.invalid("/quantity");
    }
    assert!(lines(&bert.cart().await.ok(200)).is_empty(), "carts are apart");

    anna.put_in_cart("desk-lamp", 1).await.ok(200);
    let cart = anna.take_from_cart("claw-hammer").await.ok(200);
    assert_eq!(lines(&cart), [("desk-lamp".to_owned(), 1)]);
    assert_eq!(anna.take_from_cart("claw-hammer").await.ok(200), cart);
    anna.call(reqwest::Method::DELETE, "/v1/cart").await.ok(204);
    assert!(lines(&anna.cart().await.ok(200)).is_empty());

    shop.covers(&contract(), "cart");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_holds_fifty_lines() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.register().await, shop.admin().await);
    for _ in 0..50 {
        let product = admin.stock_up(1).await;
        anna.put_in_cart(&product, 1).await.ok(200);
    }
    let one_more = admin.stock_up(1).await;
    anna.put_in_cart(&one_more, 1).await.refused(400, "invalid_argument");
    assert_eq!(anna.cart().await.ok(200)["items"].as_array().unwrap().len(), 50);
    shop.close().await;
}
