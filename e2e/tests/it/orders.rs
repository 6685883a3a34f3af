//! The life of an order, from the cart to the customer's door.

use e2e::shop::{CARD_OK, SOON, Shop};
use serde_json::json;
use shared::testing::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn from_the_cart_to_the_door() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let (first, second) = (admin.stock_up(10).await, admin.stock_up(10).await);
    anna.put_in_cart(&first, 2).await.ok(200);
    let cart = anna.put_in_cart(&second, 1).await.ok(200);
    let order = e2e::shop::Order(anna.place_cart().await.ok(201));
    assert_eq!(order.0["total"], cart["total"]);
    assert!(anna.cart().await.ok(200)["items"].as_array().unwrap().is_empty());
    let stock = async |product: &str| {
        let stock = admin.stock_of(product).await.ok(200);
        (stock["on_hand"].as_i64().unwrap(), stock["reserved"].as_i64().unwrap())
    };
    assert_eq!((stock(&first).await, stock(&second).await), ((10, 2), (10, 1)));

    anna.pay(&order, CARD_OK).await.ok(200);
    eventually(SOON, async || {
        (stock(&first).await == (8, 0) && stock(&second).await == (9, 0)).then_some(())
    })
    .await;
    // Shipping comes before delivery.
    assert_eq!(admin.deliver(&order).await.refused(409, "illegal_transition")["state"], "paid");
    admin.ship(&order).await.ok(200);
    assert_eq!(admin.ship(&order).await.refused(409, "illegal_transition")["state"], "shipped");
    admin.deliver(&order).await.ok(200);
    let order = anna.look_at(&order).await;
    assert_eq!(order.history(), ["pending_payment", "paying", "paid", "shipped", "delivered"]);
    let history = order.0["history"].as_array().unwrap();
    for (seq, one) in (1..).zip(history) {
        assert_eq!(one["seq"], seq);
        assert!(one["at"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(history[0]["from"], json!(null));
    assert!(history.windows(2).all(|pair| pair[0]["to"] == pair[1]["from"]));
    shop.close().await;
}

/// An order of the lines that a customer names leaves the cart alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_was_not_ordered_stays_full() {
    let shop = Shop::open().await;
    let anna = shop.register().await;
    anna.put_in_cart("desk-lamp", 1).await.ok(200);
    anna.order(&[("claw-hammer", 1)]).await;
    assert_eq!(anna.cart().await.ok(200)["items"][0]["product_id"], "desk-lamp");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_at_most_fifty_lines() {
    let shop = Shop::open().await;
    let anna = shop.register().await;
    let lines: Vec<(&str, i64)> = (0..51).map(|_| ("claw-hammer", 1)).collect();
    anna.place(&lines).await.invalid("/items");
    shop.close().await;
}
