//! The process dies, at each place where something is half done, and is started again on the same data: every order comes
//! to an end, and nobody pays twice.

use std::time::Duration;

use shared::testing::eventually;

use crate::catalogue::Fault;
use crate::provider::{GOOD, UNANSWERED};
use crate::world::{SOON, World, card, order_of_cart, payment, reason, world};

/// Dies while `doing` has come as far as `point`.
async fn die_at<T>(world: &mut World, doing: impl Future<Output = T>, point: impl AsyncFn() -> bool) {
    {
        let there = eventually(SOON, async || point().await.then_some(()));
        tokio::select! {
            () = there => {}
            _ = doing => panic!("it should not have ended"),
        }
    }
    world.die();
}

async fn start_again(world: &mut World) {
    world.catalogue.heal();
    world.provider.open();
    world.start().await;
}

#[tokio::test]
async fn between_the_hold_and_the_order() {
    let mut world = world().await;
    world.put("anna", "pot", 2).await.unwrap();
    world.catalogue.break_down("reserve", Fault::Hangs);
    let (mut order, catalogue) = (world.order.clone(), world.catalogue.clone());
    let placing = order.place_order(order_of_cart("anna", "k"));
    die_at(&mut world, placing, async || catalogue.held().len() == 1).await;
    start_again(&mut world).await;
    assert!(world.records.orders().await.is_empty());
    assert_eq!(reason(world.send(order_of_cart("anna", "k")).await), "idempotency_in_flight");
    world.records.end_leases().await;
    let placed = world.send(order_of_cart("anna", "k")).await.unwrap();
    // The hold of the dead is gone, and the order has its own.
    assert_eq!((world.catalogue.held(), world.catalogue.available("pot")), (vec![placed.id], 8));
    world.audit().await;
}

#[tokio::test]
async fn before_the_provider_was_asked() {
    let mut world = world().await;
    let placed = world.placed("anna").await;
    world.provider.shut();
    let (mut order, provider) = (world.order.clone(), world.provider.clone());
    let paying = order.pay_order(payment("anna", &placed.id, "k", card(GOOD)));
    // It was sent, and has not arrived; for the provider that is as if it had not been sent.
    die_at(&mut world, paying, async || provider.calls("charge") == 1).await;
    assert_eq!(world.records.status(&placed.id).await, "paying");
    world.start().await;
    world.records.check_now().await;
    world.becomes("anna", &placed.id, "pending_payment").await;
    // Should it arrive after all, it finds that it was given up.
    world.provider.open();
    world.records.end_leases().await;
    // The key was for that one charge, which will never be.
    let refused = world.pay("anna", &placed.id, "k", GOOD).await.unwrap_err();
    assert_eq!(refused.extra("decline_code").unwrap(), "processing_error");
    assert_eq!(world.pay("anna", &placed.id, "l", GOOD).await.unwrap().status, "paid");
    assert_eq!(world.provider.taken(&placed.id), 1);
    world.audit().await;
}

#[tokio::test]
async fn after_the_provider_has_charged() {
    let mut world = world().await;
    let placed = world.placed("anna").await;
    let (mut order, provider) = (world.order.clone(), world.provider.clone());
    let paying = order.pay_order(payment("anna", &placed.id, "k", card(UNANSWERED)));
    die_at(&mut world, paying, async || provider.taken(&placed.id) == 1).await;
    assert_eq!(world.records.status(&placed.id).await, "paying");
    start_again(&mut world).await;
    // Asked again before anybody knows: it is not charged again.
    world.records.end_leases().await;
    assert_eq!(world.pay("anna", &placed.id, "k", UNANSWERED).await.unwrap().status, "paying");
    world.records.check_now().await;
    world.becomes("anna", &placed.id, "paid").await;
    assert_eq!((world.provider.calls("charge"), world.provider.taken(&placed.id)), (1, 1));
    world.audit().await;
}

#[tokio::test]
async fn a_key_whose_payment_was_reconciled_answers_what_became_of_it() {
    let mut world = world().await;
    let placed = world.placed("anna").await;
    let (mut order, provider) = (world.order.clone(), world.provider.clone());
    let paying = order.pay_order(payment("anna", &placed.id, "k", card(UNANSWERED)));
    die_at(&mut world, paying, async || provider.taken(&placed.id) == 1).await;
    start_again(&mut world).await;
    world.records.check_now().await;
    let paid = world.becomes("anna", &placed.id, "paid").await;
    world.records.end_leases().await;
    assert_eq!(world.pay("anna", &placed.id, "k", UNANSWERED).await.unwrap(), paid);
    assert_eq!(world.provider.calls("charge"), 1);
    world.audit().await;
}

#[tokio::test]
async fn between_a_refund_and_the_money() {
    let mut world = world().await;
    let paid = world.paid("anna").await;
    // The provider does not answer, and the process dies before it asks again.
    world.provider.break_down("refund");
    world.cancel("anna", &paid.id, "").await.unwrap();
    world.die();
    assert_eq!(world.provider.taken(&paid.id), 1);
    world.provider.mend();
    start_again(&mut world).await;
    world.records.check_now().await;
    eventually(SOON, async || (world.provider.taken(&paid.id) == 0).then_some(())).await;
    let back = async || (world.records.attempts(&paid.id).await[0].status == "refunded").then_some(());
    eventually(SOON, back).await;
    world.audit().await;
}

#[tokio::test]
async fn events_that_were_not_sent_are_sent_by_the_next() {
    let mut world = world().await;
    // A group that does not exist: nothing is acknowledged.
    world.stop().await;
    let mut url = String::new();
    world.change(|config| {
        url.clone_from(&config.queue.url);
        config.queue.url = format!("{url}?groups=nobody");
        config.queue.relay.timeout = Duration::from_millis(100);
    });
    world.start().await;
    let paid = world.paid("anna").await;
    assert_eq!(world.records.unsent().await, 3);
    world.die();
    world.change(|config| config.queue.url.clone_from(&url));
    world.start().await;
    eventually(SOON, async || (world.records.unsent().await == 0).then_some(())).await;
    assert_eq!(world.records.events(&paid.id).await.len(), 3);
    world.audit().await;
}
