//! What a customer sees who watches an order.

use e2e::shop::{CARD_OK, Moved, Shop};

fn told(moved: &[Moved]) -> Vec<(i64, &str)> {
    moved.iter().map(|one| (one.id, one.status.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_sees_what_is_past_and_then_what_happens() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let order = anna.order(&[("claw-hammer", 1)]).await;
    let mut watch = anna.watch(&order, None).await;
    assert_eq!(told(&watch.until("pending_payment").await), [(1, "pending_payment")]);
    anna.pay(&order, CARD_OK).await.ok(200);
    assert_eq!(told(&watch.until("paid").await), [(2, "paying"), (3, "paid")]);
    // Another one comes later, and sees the same.
    let mut late = anna.watch(&order, None).await;
    assert_eq!(told(&late.until("paid").await), [(1, "pending_payment"), (2, "paying"), (3, "paid")]);
    admin.ship(&order).await.ok(200);
    for watch in [&mut watch, &mut late] {
        assert_eq!(told(&watch.until("shipped").await), [(4, "shipped")]);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_hears_what_was_missed_and_nothing_twice() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let order = anna.order(&[("claw-hammer", 1)]).await;
    let mut watch = anna.watch(&order, None).await;
    let seen = watch.next().await.unwrap().id;
    drop(watch);
    anna.pay(&order, CARD_OK).await.ok(200);
    let mut watch = anna.watch(&order, Some(seen)).await;
    assert_eq!(told(&watch.until("paid").await), [(2, "paying"), (3, "paid")]);
    let mut watch = anna.watch(&order, Some(3)).await;
    admin.ship(&order).await.ok(200);
    assert_eq!(told(&watch.until("shipped").await), [(4, "shipped")]);
    shop.close().await;
}

/// A stream ends with its server, and holds up no stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_closes_ends_its_streams() {
    let Some(shop) = Shop::configured(serde_json::json!({})).await else { return };
    let anna = shop.register().await;
    let order = anna.order(&[("claw-hammer", 1)]).await;
    let mut watch = anna.watch(&order, None).await;
    watch.next().await.unwrap();
    let started = tokio::time::Instant::now();
    shop.close().await;
    assert_eq!(watch.next().await, None);
    assert!(started.elapsed() < std::time::Duration::from_secs(8), "{:?}", started.elapsed());
}
