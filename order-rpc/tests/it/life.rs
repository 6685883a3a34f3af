//! The rest of an order's life: shipped, delivered, refunded, by an administrator.

use proto::order::v1::MoveOrderRequest;
use shared::error::Error;

use crate::world::{history, pointers, reason, state, world};

#[tokio::test]
async fn a_paid_order_is_shipped_and_delivered() {
    let world = world().await;
    let paid = world.paid("anna").await;
    assert_eq!(state(world.deliver(&paid.id).await), "paid");
    assert_eq!(world.ship(&paid.id).await.unwrap().status, "shipped");
    assert_eq!(state(world.ship(&paid.id).await), "shipped");
    let delivered = world.deliver(&paid.id).await.unwrap();
    assert_eq!(history(&delivered)[2..], ["paying→paid", "paid→shipped", "shipped→delivered"]);
    assert_eq!(world.records.steps(&paid.id).await.last().unwrap().actor, "the-admin");
    assert_eq!(state(world.deliver(&paid.id).await), "delivered");
    world.audit().await;
}

#[tokio::test]
async fn money_goes_back_wherever_the_goods_are() {
    let world = world().await;
    let (paid, shipped, delivered) =
        (world.paid("anna").await.id, world.paid("anna").await.id, world.paid("anna").await.id);
    world.ship(&shipped).await.unwrap();
    world.ship(&delivered).await.unwrap();
    world.deliver(&delivered).await.unwrap();
    for id in [&paid, &shipped, &delivered] {
        let refunded = world.refund(id, "broken").await.unwrap();
        assert_eq!(
            (refunded.status.as_str(), refunded.payment.unwrap().status.as_str()),
            ("refunded", "refunded")
        );
        assert_eq!(refunded.history.last().unwrap().reason, "broken");
        assert_eq!(world.provider.taken(id), 0);
        assert_eq!(state(world.refund(id, "").await), "refunded");
        assert_eq!(state(world.ship(id).await), "refunded");
    }
    assert_eq!(world.provider.calls("refund"), 3);
    world.audit().await;
}

#[tokio::test]
async fn what_is_not_paid_is_neither_shipped_nor_refunded() {
    let world = world().await;
    let placed = world.placed("anna").await;
    for refused in
        [world.ship(&placed.id).await, world.deliver(&placed.id).await, world.refund(&placed.id, "").await]
    {
        assert_eq!(state(refused), "pending_payment");
    }
    assert_eq!(reason(world.ship("no such order").await), "not_found");
    assert_eq!(reason(world.deliver("no such order").await), "not_found");
    assert_eq!(reason(world.refund("no such order", "").await), "not_found");
    assert_eq!(pointers(world.refund(&placed.id, &"x".repeat(201)).await), ["/reason"]);
    let nobody = MoveOrderRequest { order_id: placed.id.clone(), ..MoveOrderRequest::default() };
    let refused = world.order.clone().ship_order(nobody).await.map_err(Error::from);
    assert_eq!(pointers(refused), ["/actor_id"]);
    world.audit().await;
}
