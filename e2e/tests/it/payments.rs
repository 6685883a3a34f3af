//! Every test card, the answers that are lost, and the money that goes back.

use e2e::shop::{
    CARD_DECLINED, CARD_OK, Card, Customer, DECLINED_LATER, EXPIRED_CARD, INCORRECT_CVC, INSUFFICIENT_FUNDS,
    NO_ANSWER, Order, PROVIDER_BREAKS, SOON, SUCCEEDS_LATER, Shop, UNKNOWN_CARD,
};
use serde_json::{Value, json};
use shared::testing::eventually;

/// A provider that is waited for, asked again and heard of soon.
pub(crate) fn impatient() -> Value {
    json!({
        "order-rpc": {
            "Provider": {"Timeout": "500ms"},
            "Reconcile": {"Every": "50ms", "After": "100ms", "BackOff": "500ms", "Claim": "2s"},
        },
        "payment-sim": {"SettleAfter": "300ms", "HangFor": "5s"},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_card_has_its_outcome() {
    let Some(shop) = Shop::configured(impatient()).await else { return };
    let anna = shop.register().await;
    let order = anna.order(&[("claw-hammer", 1)]).await;
    for (card, decline_code) in [
        (CARD_DECLINED, "card_declined"),
        (INSUFFICIENT_FUNDS, "insufficient_funds"),
        (EXPIRED_CARD, "expired_card"),
        (INCORRECT_CVC, "incorrect_cvc"),
        (UNKNOWN_CARD, "card_declined"),
    ] {
        let problem = anna.pay(&order, card).await.refused(402, "payment_declined");
        assert_eq!(problem["decline_code"], decline_code, "{card:?}");
        assert_eq!(anna.look_at(&order).await.status(), "pending_payment", "{card:?}");
    }
    // Of the provider that broke, and of the one that decided later, the customer hears as soon as they do.
    for card in [PROVIDER_BREAKS, DECLINED_LATER] {
        assert_eq!(anna.pay(&order, card).await.ok(202)["status"], "paying", "{card:?}");
        anna.wait_for(&order, "pending_payment").await;
    }
    anna.pay(&order, CARD_OK).await.ok(200);
    for card in [SUCCEEDS_LATER, NO_ANSWER] {
        let order = anna.order(&[("claw-hammer", 1)]).await;
        assert_eq!(anna.pay(&order, card).await.ok(202)["status"], "paying", "{card:?}");
        let order = anna.wait_for(&order, "paid").await;
        assert_eq!(order.0["payment"]["card_last4"], card.0[12..]);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_of_a_card_is_kept_or_logged() {
    let Some(shop) = Shop::configured(impatient()).await else { return };
    let anna = shop.register().await;
    let card = Card("4012888888881881");
    let order = anna.order(&[("claw-hammer", 1)]).await;
    anna.pay(&order, card).await.refused(402, "payment_declined");
    let mut wrong = card.body();
    wrong["card"]["number"] = json!("4012888888881882");
    let path = format!("/v1/orders/{}/pay", order.id());
    let problem = anna.post(&path, &wrong).once().await.invalid("/card/number");
    assert!(!problem.to_string().contains("401288888888"));
    assert_eq!(shared::telemetry::log::captured("401288888888"), Vec::<String>::new());
    let folder = shop.sources().unwrap().order.trim_start_matches("sqlite://").to_owned();
    let folder = std::path::Path::new(&folder).parent().unwrap().to_owned();
    shop.close().await;
    for file in std::fs::read_dir(folder).into_iter().flatten() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"401288888888"));
    }
}

/// While the outcome is not known, the order can be neither paid again nor cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_paying_stays_as_it_is() {
    let mut services = impatient();
    services["payment-sim"]["SettleAfter"] = json!("2s");
    let Some(shop) = Shop::configured(services).await else { return };
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let order = anna.order(&[("claw-hammer", 1)]).await;
    anna.pay(&order, SUCCEEDS_LATER).await.ok(202);
    for answer in [
        anna.pay(&order, CARD_OK).await,
        anna.cancel(&order).await,
        admin.ship(&order).await,
        admin.refund(&order).await,
    ] {
        assert_eq!(answer.refused(409, "illegal_transition")["state"], "paying");
    }
    anna.wait_for(&order, "paid").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_shipped_comes_back_with_its_money() {
    let mut conf = impatient();
    conf["order-rpc"]["Order"] = json!({"StockWait": "10s"});
    let Some(shop) = Shop::configured(conf).await else { return };
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let product = admin.stock_up(10).await;
    let on_hand = async || admin.stock_of(&product).await.ok(200)["on_hand"].as_i64().unwrap();
    let becomes = async |wanted| eventually(SOON, async || (on_hand().await == wanted).then_some(())).await;

    let cancelled = anna.paid_order(&[(&product, 3)]).await;
    becomes(7).await;
    let order = Order(anna.cancel(&cancelled).await.ok(200));
    assert_eq!(order.status(), "refunded");
    assert_eq!(on_hand().await, 10, "it is back before the answer");
    refunded(&anna, &order).await;

    let refunded_by_us = anna.paid_order(&[(&product, 2)]).await;
    let order = Order(admin.refund(&refunded_by_us).await.ok(200));
    assert_eq!(on_hand().await, 10, "it is back before the answer");
    refunded(&anna, &order).await;

    // What is on its way, or with the customer, does not.
    let shipped = anna.paid_order(&[(&product, 1)]).await;
    admin.ship(&shipped).await.ok(200);
    anna.cancel(&shipped).await.refused(409, "illegal_transition");
    refunded(&anna, &Order(admin.refund(&shipped).await.ok(200))).await;
    let delivered = anna.paid_order(&[(&product, 1)]).await;
    admin.ship(&delivered).await.ok(200);
    admin.deliver(&delivered).await.ok(200);
    refunded(&anna, &Order(admin.refund(&delivered).await.ok(200))).await;
    for order in [&cancelled, &shipped, &delivered] {
        assert_eq!(admin.refund(order).await.refused(409, "illegal_transition")["state"], "refunded");
    }
    becomes(8).await;
    shop.close().await;
}

async fn refunded(anna: &Customer, order: &Order) {
    let payment = async || anna.look_at(order).await.0["payment"]["status"].clone();
    eventually(SOON, async || (payment().await == "refunded").then_some(())).await;
}
