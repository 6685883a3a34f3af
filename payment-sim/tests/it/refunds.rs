//! Money goes back once, and only where it came.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::world::{GOOD, PENDING, World, is, refused};

#[tokio::test]
async fn a_refund_is_the_same_the_second_time() {
    let world = World::new().await;
    let charge = world.charge("one", GOOD).await;
    let refunded = world.refund("one").await;
    is(&refunded, "refunded");
    assert_eq!(refunded.1["decided_at"], charge.1["decided_at"]);
    assert_eq!(world.refund("one").await, refunded);
    assert_eq!(world.get("one").await, refunded);
    assert_eq!(world.void("one").await, refunded);
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_at_the_same_time_are_one() {
    let world = Arc::new(World::new().await);
    world.charge("one", GOOD).await;
    let mut clients = JoinSet::new();
    for _ in 0..10 {
        let world = world.clone();
        clients.spawn(async move { world.refund("one").await });
    }
    let told = clients.join_all().await;
    told.iter().for_each(|told| is(told, "refunded"));
    assert!(told.iter().all(|one| *one == told[0]));
}

#[tokio::test]
async fn what_did_not_succeed_is_not_refunded() {
    let world = World::new().await;
    world.charge("pending", PENDING).await;
    world.charge("declined", "4000000000000002").await;
    world.void("voided").await;
    for key in ["pending", "declined", "voided"] {
        let before = world.get(key).await;
        let told = world.refund(key).await;
        refused(&told, 409, "illegal_transition");
        assert_eq!(told.1["state"], key);
        assert_eq!(world.get(key).await, before);
    }
    refused(&world.refund("unknown").await, 404, "not_found");
    refused(&world.get("unknown").await, 404, "not_found");
}
