//! Reserve, PinReservation and Release, alone and at once.

use std::collections::HashMap;

use serde_json::json;
use shared::error::Error;
use shared::testing::eventually;
use tokio::task::JoinSet;

use crate::world::{SOON, open, pointers, reason, world, world_with};

#[tokio::test]
async fn all_lines_are_held_and_a_second_call_answers_the_first() {
    let (world, _folder) = world().await;
    let before = shared::clock::wall_ms();
    let held = world.reserve("o", &[("desk-lamp", 2), ("camp-stove", 1)]).await.unwrap();
    assert_eq!((held.order_id.as_str(), held.status.as_str()), ("o", "held"));
    assert!((before + 600_000..before + 660_000).contains(&held.expires_at_ms));
    // In another order they are the same lines.
    let again = world.reserve_for("o", &[("camp-stove", 1), ("desk-lamp", 2)], 1).await.unwrap();
    assert_eq!(again, held);
    assert_eq!(world.stock("desk-lamp").await, (31, 2));
    assert_eq!(world.stock("camp-stove").await, (5, 1));
    assert_eq!(world.moved("desk-lamp").await, 31);
}

#[tokio::test]
async fn a_hold_lasts_as_long_as_the_service_says_where_nothing_is_asked_for() {
    let (world, _folder) = world().await;
    let before = shared::clock::wall_ms();
    let held = world.reserve_for("o", &[("desk-lamp", 2)], 0).await.unwrap();
    assert!((before + 960_000..before + 1_000_000).contains(&held.expires_at_ms));
}

#[tokio::test]
async fn what_cannot_be_served_is_told_line_by_line_and_nothing_is_held() {
    let (world, _folder) = world().await;
    world.reserve("first", &[("camp-stove", 3), ("bench-vise", 9)]).await.unwrap();
    let wanted = [("hand-plane", 1), ("camp-stove", 3), ("titanium-mug", 99), ("bench-vise", 1)];
    let refused = world.reserve("o", &wanted).await.unwrap_err();
    assert_eq!(refused.reason(), "out_of_stock");
    assert_eq!(tonic::Code::Aborted, refused.code().grpc());
    let faults = json!(refused.faults());
    assert_eq!(
        faults,
        json!([
            {"pointer": "/items/1/quantity", "detail": "2 left", "available": 2},
            {"pointer": "/items/2/quantity", "detail": "68 left", "available": 68},
            {"pointer": "/items/3/quantity", "detail": "0 left", "available": 0},
        ])
    );
    assert_eq!(world.stock("hand-plane").await, (14, 0));
    assert_eq!(world.stock("camp-stove").await, (5, 3));
    assert_eq!(world.status("o").await, None);
    // Nothing stands in the way of the same order with less.
    world.reserve("o", &[("camp-stove", 2)]).await.unwrap();
}

#[tokio::test]
async fn a_product_that_does_not_exist_is_named_by_its_line() {
    let (world, _folder) = world().await;
    let refused = world.reserve("o", &[("zither", 1), ("camp-stove", 99), ("accordion", 1)]).await;
    assert_eq!(pointers(refused), ["/items/0/product_id", "/items/2/product_id"]);
    assert_eq!(world.stock("camp-stove").await, (5, 0));
}

#[tokio::test]
async fn a_reservation_is_refused_for_all_its_faults_at_once() {
    let (world, _folder) = world().await;
    let faults = world.reserve_for("", &[("desk-lamp", 0), ("desk-globe", 100), ("desk-lamp", 1)], -1).await;
    let expected = ["/order_id", "/ttl_ms", "/items/0/quantity", "/items/1/quantity", "/items/2/product_id"];
    assert_eq!(pointers(faults), expected);
    assert_eq!(pointers(world.reserve("o", &[]).await), ["/items"]);
    assert_eq!(pointers(world.reserve("o", &[("desk-lamp", 1); 51]).await), ["/items"]);
    assert_eq!(pointers(world.reserve_for("o", &[("desk-lamp", 1)], 86_400_001).await), ["/ttl_ms"]);
    assert_eq!(pointers(world.reserve_for("o", &[("desk-lamp", 1)], i64::MAX).await), ["/ttl_ms"]);
    assert_eq!(pointers(world.reserve(&"o".repeat(37), &[("desk-lamp", 1)]).await), ["/order_id"]);
    assert_eq!(pointers(world.release("").await), ["/order_id"]);
}

#[tokio::test]
async fn an_order_cannot_reserve_other_lines_than_it_did() {
    let (world, _folder) = world().await;
    world.reserve("o", &[("desk-lamp", 2)]).await.unwrap();
    for other in [&[("desk-lamp", 3)][..], &[("desk-globe", 2)], &[("desk-lamp", 2), ("desk-globe", 1)]] {
        assert_eq!(reason(world.reserve("o", other).await), "idempotency_key_reused");
    }
    assert_eq!(world.stock("desk-lamp").await, (31, 2));
    assert_eq!(world.stock("desk-globe").await, (18, 0));
}

#[tokio::test]
async fn what_is_released_can_be_had_by_others_but_not_by_its_order() {
    let (world, _folder) = world().await;
    world.reserve("o", &[("desk-lamp", 31)]).await.unwrap();
    assert_eq!(reason(world.reserve("p", &[("desk-lamp", 1)]).await), "out_of_stock");
    world.release("o").await.unwrap();
    world.release("o").await.unwrap();
    assert_eq!(world.stock("desk-lamp").await, (31, 0));
    world.reserve("p", &[("desk-lamp", 31)]).await.unwrap();
    let refused = world.reserve("o", &[("desk-lamp", 31)]).await.unwrap_err();
    assert_eq!((refused.reason(), refused.extra("state")), ("illegal_transition", Some(&json!("released"))));
    assert_eq!(reason(world.pin("o").await), "illegal_transition");
}

#[tokio::test]
async fn a_reservation_that_arrives_after_its_release_holds_nothing() {
    let (world, _folder) = world().await;
    world.release("o").await.unwrap();
    assert_eq!(reason(world.reserve("o", &[("desk-lamp", 1)]).await), "illegal_transition");
    assert_eq!(reason(world.pin("o").await), "illegal_transition");
    world.release("o").await.unwrap();
    assert_eq!(world.stock("desk-lamp").await, (31, 0));
}

#[tokio::test]
async fn a_hold_ends_by_itself_and_is_had_again_while_there_is_stock() {
    let (world, _folder) = world().await;
    world.reserve_for("o", &[("desk-lamp", 31)], 1).await.unwrap();
    world.expired("o").await;
    assert_eq!(world.stock("desk-lamp").await, (31, 0));
    let again = world.reserve("o", &[("desk-lamp", 31)]).await.unwrap();
    assert_eq!((again.status.as_str(), world.stock("desk-lamp").await), ("held", (31, 31)));
    assert!(again.expires_at_ms > shared::clock::wall_ms());
    assert_eq!(reason(world.reserve("o", &[("desk-lamp", 1)]).await), "idempotency_key_reused");
}

#[tokio::test]
async fn a_hold_whose_time_is_over_is_prolonged_where_nobody_gave_it_back_yet() {
    let (world, _folder) = world_with(|config| config.reservation.sweep = SOON * 100).await;
    let first = world.reserve_for("o", &[("desk-lamp", 31)], 1).await.unwrap();
    eventually(SOON, async || (shared::clock::wall_ms() > first.expires_at_ms).then_some(())).await;
    let again = world.reserve("o", &[("desk-lamp", 31)]).await.unwrap();
    assert!(again.status == "held" && again.expires_at_ms > first.expires_at_ms + 500_000);
    assert_eq!(world.stock("desk-lamp").await, (31, 31));
}

#[tokio::test]
async fn many_holds_end_though_a_sweep_takes_few() {
    let (world, _folder) = world_with(|config| config.reservation.batch = 2).await;
    for at in 0..9 {
        world.reserve_for(&format!("o{at}"), &[("desk-lamp", 1)], 1).await.unwrap();
    }
    world.reserve("stays", &[("desk-lamp", 1)]).await.unwrap();
    eventually(SOON, async || (world.stock("desk-lamp").await == (31, 1)).then_some(())).await;
}

#[tokio::test]
async fn a_hold_that_cannot_be_given_back_holds_up_no_other() {
    let (world, _folder) = world_with(|config| config.reservation.batch = 2).await;
    world.reserve("broken", &[("desk-lamp", 3)]).await.unwrap();
    // More than is reserved would be given back, which a check refuses.
    let spoil = "UPDATE reservation_lines SET quantity = 50 WHERE order_id = 'broken'";
    sqlx::query(spoil).execute(&world.db).await.unwrap();
    sqlx::query("UPDATE reservations SET expires_at = 1").execute(&world.db).await.unwrap();
    for at in 0..5 {
        world.reserve_for(&format!("o{at}"), &[("desk-globe", 1)], 1).await.unwrap();
    }
    eventually(SOON, async || (world.stock("desk-globe").await == (18, 0)).then_some(())).await;
    assert_eq!(world.status("broken").await.unwrap(), "held");
    assert_eq!(world.stock("desk-lamp").await, (31, 3));
}

#[tokio::test]
async fn a_pinned_hold_does_not_end_by_itself_nor_by_a_release() {
    let (world, _folder) = world().await;
    world.reserve("o", &[("desk-lamp", 2)]).await.unwrap();
    let pinned = world.pin("o").await.unwrap();
    assert_eq!(pinned.status, "pinned");
    assert_eq!(world.pin("o").await.unwrap(), pinned);
    assert_eq!(world.reserve("o", &[("desk-lamp", 2)]).await.unwrap(), pinned);
    sqlx::query("UPDATE reservations SET expires_at = 1").execute(&world.db).await.unwrap();
    world.reserve_for("later", &[("desk-lamp", 1)], 1).await.unwrap();
    world.expired("later").await;
    assert_eq!(world.status("o").await.unwrap(), "pinned");
    let refused = world.release("o").await.unwrap_err();
    assert_eq!((refused.reason(), refused.extra("state")), ("illegal_transition", Some(&json!("pinned"))));
    assert_eq!(world.stock("desk-lamp").await, (31, 2));
    assert_eq!(reason(world.pin("never").await), "not_found");
}

#[tokio::test]
async fn an_expired_hold_is_pinned_where_the_stock_is_still_there_and_else_refused() {
    let (world, _folder) = world().await;
    // Named in an order that is not the one in which they are taken.
    let wanted = [("titanium-mug", 1), ("desk-lamp", 31), ("camp-stove", 1)];
    world.reserve_for("o", &wanted, 1).await.unwrap();
    world.expired("o").await;
    world.reserve("p", &[("desk-lamp", 1)]).await.unwrap();
    let refused = world.pin("o").await.unwrap_err();
    assert_eq!(refused.reason(), "out_of_stock");
    assert_eq!(refused.faults()[0].pointer, "/items/1/quantity");
    assert_eq!(refused.faults()[0].extras["available"], 30);
    assert_eq!(world.stock("titanium-mug").await, (68, 0));
    assert_eq!(world.status("o").await.unwrap(), "expired");
    world.release("p").await.unwrap();
    assert_eq!(world.pin("o").await.unwrap().status, "pinned");
    assert_eq!(world.stock("desk-lamp").await, (31, 31));
    assert_eq!(world.stock("camp-stove").await, (5, 1));
}

#[tokio::test]
async fn an_expired_hold_that_is_released_is_not_made_again() {
    let (world, _folder) = world().await;
    world.reserve_for("o", &[("desk-lamp", 1)], 1).await.unwrap();
    world.expired("o").await;
    world.release("o").await.unwrap();
    assert_eq!(reason(world.reserve("o", &[("desk-lamp", 1)]).await), "illegal_transition");
    assert_eq!(world.stock("desk-lamp").await, (31, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_the_last_pieces_exactly_as_many_get_one() {
    let (world, _folder) = world().await;
    world.set_stock("desk-lamp", 20).await;
    let mut tries = JoinSet::new();
    for at in 0..64 {
        let world = world.clone();
        tries.spawn(async move { world.reserve(&format!("o{at}"), &[("desk-lamp", 1)]).await });
    }
    let done = tries.join_all().await;
    let held = done.iter().filter(|one| one.is_ok()).count();
    assert_eq!(held, 20);
    assert!(done.into_iter().filter(Result::is_err).all(|one| reason(one) == "out_of_stock"));
    assert_eq!(world.stock("desk-lamp").await, (20, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_the_same_products_in_any_order_neither_wait_for_each_other_nor_hold_a_part() {
    let (world, _folder) = world().await;
    let products = ["camp-stove", "desk-lamp", "rain-gauge"];
    for (product, stock) in products.iter().zip([40, 25, 60]) {
        world.set_stock(product, stock).await;
    }
    let mut tries = JoinSet::new();
    for at in 0..64_usize {
        let world = world.clone();
        let mut wanted = products.map(|product| (product, 1));
        wanted.rotate_left(at % 3);
        if at % 2 == 0 {
            wanted.reverse();
        }
        tries.spawn(async move { world.reserve(&format!("o{at}"), &wanted).await });
    }
    let done = tries.join_all().await;
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 25);
    for refused in done.into_iter().filter_map(Result::err) {
        assert_eq!((refused.reason(), refused.faults().len()), ("out_of_stock", 1));
    }
    for (product, stock) in products.iter().zip([40, 25, 60]) {
        assert_eq!(world.stock(product).await, (stock, 25), "{product}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_that_comes_many_times_at_once_holds_once() {
    let (world, _folder) = world().await;
    let mut tries = JoinSet::new();
    for _ in 0..16 {
        let world = world.clone();
        tries.spawn(async move { world.reserve("o", &[("desk-lamp", 2), ("camp-stove", 5)]).await });
    }
    let done: Result<Vec<_>, Error> = tries.join_all().await.into_iter().collect();
    let first = done.unwrap();
    assert!(first.iter().all(|one| *one == first[0]));
    assert_eq!(world.stock("desk-lamp").await, (31, 2));
    assert_eq!(world.stock("camp-stove").await, (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn reserving_pinning_releasing_and_expiring_at_once_leave_no_piece_behind() {
    let (world, _folder) = world().await;
    world.set_stock("desk-lamp", 10).await;
    let mut tries = JoinSet::new();
    for at in 0..96 {
        let world = world.clone();
        let order = format!("o{}", at % 12);
        tries.spawn(async move {
            match at % 4 {
                0 | 1 => world.reserve_for(&order, &[("desk-lamp", 1)], 3).await.map(|_| ()),
                2 => world.pin(&order).await.map(|_| ()),
                _ => world.release(&order).await,
            }
        });
    }
    tries.join_all().await;
    eventually(SOON, async || {
        let held: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM reservations WHERE status = 'held'")
            .fetch_one(&world.db)
            .await
            .unwrap();
        (held == 0).then_some(())
    })
    .await;
    let by_status: HashMap<String, i64> =
        sqlx::query_as("SELECT status, COUNT(*) FROM reservations GROUP BY status")
            .fetch_all(&world.db)
            .await
            .unwrap()
            .into_iter()
            .collect();
    let pinned = by_status.get("pinned").copied().unwrap_or_default();
    assert_eq!(world.stock("desk-lamp").await, (10, pinned), "{by_status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_of_one_database_agree() {
    let folder = tempfile::TempDir::new().unwrap();
    let one = open(folder.path(), |config| config.reservation.batch = 3).await;
    let two = open(folder.path(), |config| config.reservation.batch = 3).await;
    one.set_stock("desk-lamp", 20).await;
    let mut tries = JoinSet::new();
    for at in 0..64 {
        let world = if at % 2 == 0 { one.clone() } else { two.clone() };
        tries.spawn(
            async move { world.reserve_for(&format!("o{at}"), &[("desk-lamp", 1)], 86_400_000).await },
        );
    }
    let held = tries.join_all().await.iter().filter(|one| one.is_ok()).count();
    assert_eq!((held, two.stock("desk-lamp").await), (20, (20, 20)));
    // Both sweep, and each hold is given back once.
    sqlx::query("UPDATE reservations SET expires_at = 1").execute(&one.db).await.unwrap();
    eventually(SOON, async || (one.stock("desk-lamp").await == (20, 0)).then_some(())).await;
    assert_eq!(two.list("", "", "", (100, "")).await.unwrap().0.len(), 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pinned_as_its_time_ended_stays_pinned() {
    let (world, _folder) = world().await;
    let orders: Vec<String> = (0..40).map(|at| format!("o{at}")).collect();
    for order in &orders {
        world.reserve_for(order, &[("dot-grid-notebook", 1)], 60_000).await.unwrap();
    }
    // All at once: a sweep finds many, and works on the last of them while they are pinned.
    sqlx::query("UPDATE reservations SET expires_at = 1").execute(&world.db).await.unwrap();
    let pins = orders.iter().rev().cloned().map(|order| {
        let world = world.clone();
        async move { world.pin(&order).await }
    });
    for pinned in pins.collect::<JoinSet<_>>().join_all().await {
        assert_eq!(pinned.unwrap().status, "pinned");
    }
    world.reserve_for("later", &[("desk-lamp", 1)], 1).await.unwrap();
    world.expired("later").await;
    for order in &orders {
        assert_eq!(world.status(order).await.unwrap(), "pinned", "{order}");
    }
    assert_eq!(world.stock("dot-grid-notebook").await, (200, 40));
}
