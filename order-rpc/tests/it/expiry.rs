//! Expiry: an order that nobody pays in time ends.

use std::time::Duration;

use crate::provider::{BREAKS, SLOW};
use crate::world::{fresh, history, state, world, world_with};

#[tokio::test]
async fn an_order_that_nobody_pays_ends_by_itself() {
    let world = world_with(|config| {
        config.order.expiry = Duration::from_millis(300);
        config.order.hold_margin = Duration::from_millis(100);
    })
    .await;
    let placed = world.placed("anna").await;
    assert!(placed.expires_at_ms <= placed.created_at_ms + 300);
    let expired = world.becomes("anna", &placed.id, "expired").await;
    assert_eq!(history(&expired), ["→pending_payment", "pending_payment→expired"]);
    assert_eq!(expired.history[1].reason, "not paid in time");
    assert!(expired.history[1].at_ms >= placed.expires_at_ms);
    assert_eq!(world.records.steps(&placed.id).await[1].actor, "order-rpc");
    assert_eq!(state(world.cancel("anna", &placed.id, "").await), "expired");
    world.audit().await;
}

#[tokio::test]
async fn only_what_waits_for_its_payment_expires() {
    let world = world().await;
    let (paid, cancelled, paying) =
        (world.paid("anna").await.id, world.placed("anna").await.id, world.placed("anna").await.id);
    world.cancel("anna", &cancelled, "").await.unwrap();
    world.pay("anna", &paying, &fresh("pay"), SLOW).await.unwrap();
    let waiting = world.placed("anna").await.id;
    for id in [&paid, &cancelled, &paying, &waiting] {
        world.records.let_time_pass(id).await;
    }
    world.becomes("anna", &waiting, "expired").await;
    assert_eq!(world.records.status(&paid).await, "paid");
    assert_eq!(world.records.status(&cancelled).await, "cancelled");
    assert_eq!(world.records.status(&paying).await, "paying");
    // It was in time, and is paid.
    world.provider.decide();
    world.becomes("anna", &paying, "paid").await;
    world.audit().await;
}

#[tokio::test]
async fn an_order_that_comes_back_too_late_expires_then() {
    let world = world_with(|config| config.reconcile.after = Duration::from_secs(3600)).await;
    let placed = world.placed("anna").await;
    world.pay("anna", &placed.id, "k", BREAKS).await.unwrap();
    world.records.let_time_pass(&placed.id).await;
    world.records.check_now().await;
    let expired = world.becomes("anna", &placed.id, "expired").await;
    assert_eq!(history(&expired)[2..], ["paying→pending_payment", "pending_payment→expired"]);
    world.audit().await;
}

#[tokio::test]
async fn an_order_that_cannot_end_holds_up_no_other() {
    let world = world_with(|config| config.order.sweep.batch = 2).await;
    let (stuck, other) = (world.placed("anna").await.id, world.placed("anna").await.id);
    world.records.stick(&stuck).await;
    for id in [&stuck, &other] {
        world.records.let_time_pass(id).await;
    }
    world.becomes("anna", &other, "expired").await;
    assert_eq!(world.records.status(&stuck).await, "pending_payment");
    world.records.free().await;
    world.becomes("anna", &stuck, "expired").await;
    world.audit().await;
}

#[tokio::test]
async fn many_sweepers_end_many_orders_once() {
    let mut world = world_with(|config| {
        config.order.sweep.batch = 7;
        config.order.sweep.every = Duration::from_millis(3);
    })
    .await;
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(world.place("anna", &fresh("k"), &[("spoon", 1)]).await.unwrap().id);
    }
    for _ in 0..3 {
        world.start().await;
    }
    for id in &ids {
        world.records.let_time_pass(id).await;
    }
    for id in &ids {
        world.becomes("anna", id, "expired").await;
    }
    world.audit().await;
}
