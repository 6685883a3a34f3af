//! Orders that nobody pays in time.

use e2e::shop::{CARD_OK, DECLINED_LATER, SOON, SUCCEEDS_LATER, Shop};
use serde_json::{Value, json};
use shared::testing::eventually;

use crate::payments::impatient;

/// Holds end soon after their orders: a payment outlasts both.
fn hasty() -> Value {
    let mut services = impatient();
    services["order-rpc"]["Order"] =
        json!({"Expiry": "700ms", "HoldMargin": "100ms", "Sweep": {"Every": "50ms"}});
    services["product-rpc"] = json!({"Reservation": {"Sweep": "50ms"}});
    services["payment-sim"]["SettleAfter"] = json!("1500ms");
    services
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_order_expires_and_gives_its_stock_back() {
    let Some(shop) = Shop::configured(hasty()).await else { return };
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let product = admin.stock_up(1).await;
    let order = anna.order(&[(&product, 1)]).await;
    anna.place(&[(&product, 1)]).await.refused(409, "out_of_stock");
    let order = anna.wait_for(&order, "expired").await;
    assert_eq!(order.history(), ["pending_payment", "expired"]);
    assert_eq!(anna.pay(&order, CARD_OK).await.refused(409, "illegal_transition")["state"], "expired");
    assert_eq!(anna.cancel(&order).await.refused(409, "illegal_transition")["state"], "expired");
    eventually(SOON, async || (anna.place(&[(&product, 1)]).await.status == 201).then_some(())).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_payment_is_under_way_does_not_expire() {
    let Some(shop) = Shop::configured(hasty()).await else { return };
    let anna = shop.register().await;
    let (paid, declined) = (anna.order(&[("claw-hammer", 1)]).await, anna.order(&[("claw-hammer", 1)]).await);
    anna.pay(&paid, SUCCEEDS_LATER).await.ok(202);
    anna.pay(&declined, DECLINED_LATER).await.ok(202);
    assert_eq!(anna.wait_for(&paid, "paid").await.history(), ["pending_payment", "paying", "paid"]);
    let declined = anna.wait_for(&declined, "expired").await;
    assert_eq!(declined.history(), ["pending_payment", "paying", "pending_payment", "expired"]);
    shop.close().await;
}
