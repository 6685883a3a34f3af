//! Cancelling by the customer: an unpaid order ends, a paid one is refunded, a shipped one goes on.

use crate::world::{euros, history, pointers, reason, state, world};

#[tokio::test]
async fn an_unpaid_order_is_cancelled() {
    let world = world().await;
    let placed = world.placed("anna").await;
    let cancelled = world.cancel("anna", &placed.id, "changed my mind").await.unwrap();
    assert_eq!(cancelled.status, "cancelled");
    assert_eq!(history(&cancelled), ["→pending_payment", "pending_payment→cancelled"]);
    assert_eq!((cancelled.history[1].reason.as_str(), cancelled.payment), ("changed my mind", None));
    let steps = world.records.steps(&placed.id).await;
    assert!(steps.iter().all(|step| step.actor == "anna"));
    assert_eq!(state(world.cancel("anna", &placed.id, "").await), "cancelled");
    assert_eq!(world.provider.calls("refund"), 0);
    world.audit().await;
}

#[tokio::test]
async fn a_paid_order_is_refunded_with_its_money_back() {
    let world = world().await;
    let paid = world.paid("anna").await;
    let refunded = world.cancel("anna", &paid.id, "").await.unwrap();
    assert_eq!((refunded.status.as_str(), &refunded.total), ("refunded", &euros(2_500)));
    assert_eq!(refunded.payment.unwrap().status, "refunded");
    assert_eq!((world.provider.calls("refund"), world.provider.taken(&paid.id)), (1, 0));
    assert_eq!(state(world.cancel("anna", &paid.id, "").await), "refunded");
    assert_eq!(world.provider.calls("refund"), 1);
    world.audit().await;
}

#[tokio::test]
async fn what_is_on_its_way_is_not_cancelled() {
    let world = world().await;
    let paid = world.paid("anna").await;
    world.ship(&paid.id).await.unwrap();
    assert_eq!(state(world.cancel("anna", &paid.id, "").await), "shipped");
    world.deliver(&paid.id).await.unwrap();
    assert_eq!(state(world.cancel("anna", &paid.id, "").await), "delivered");
    world.audit().await;
}

#[tokio::test]
async fn only_ones_own_order_and_for_a_short_reason() {
    let world = world().await;
    let placed = world.placed("anna").await;
    assert_eq!(reason(world.cancel("ben", &placed.id, "").await), "not_found");
    assert_eq!(reason(world.cancel("anna", "no such order", "").await), "not_found");
    assert_eq!(pointers(world.cancel("", &placed.id, "").await), ["/user_id"]);
    assert_eq!(pointers(world.cancel("anna", &placed.id, &"ä".repeat(201)).await), ["/reason"]);
    assert_eq!(world.cancel("anna", &placed.id, &"ä".repeat(200)).await.unwrap().status, "cancelled");
}
