//! AdjustStock: once for a key, never under what is reserved, and together with orders.

use proto::product::v1::{AdjustStockRequest, GetStockRequest};
use shared::clock;
use shared::error::Error;
use tokio::task::JoinSet;

use crate::world::{World, open, pointers, reason, world};

async fn adjust_as(world: &World, user: &str, reason: &str, delta: i64, key: &str) -> Result<i64, Error> {
    let req = AdjustStockRequest {
        product_id: "desk-lamp".into(),
        delta,
        reason: reason.into(),
        idempotency_key: key.into(),
        user_id: user.into(),
    };
    Ok(world.product.clone().adjust_stock(req).await?.into_inner().on_hand)
}

#[tokio::test]
async fn stock_comes_and_goes_with_its_reason() {
    let (world, _folder) = world().await;
    let more = world.adjust("desk-lamp", 9, "delivery").await.unwrap();
    assert_eq!((more.on_hand, more.reserved, more.available), (40, 0, 40));
    assert_eq!(world.adjust("desk-lamp", -40, "fire").await.unwrap().available, 0);
    assert_eq!(world.stock("desk-lamp").await, (0, 0));
    assert_eq!(world.moved("desk-lamp").await, 0);
    let reasons: Vec<String> = sqlx::query_scalar(
        "SELECT reason FROM stock_moves WHERE product_id = 'desk-lamp' ORDER BY created_at, id",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    assert_eq!(reasons, ["first stock", "a count", "a count"]);
}

#[tokio::test]
async fn a_key_works_once_and_answers_the_same_again() {
    let (world, _folder) = world().await;
    let first = world.adjust("desk-lamp", 9, "key").await.unwrap();
    world.adjust("desk-lamp", 5, "other").await.unwrap();
    assert_eq!(world.adjust("desk-lamp", 9, "key").await.unwrap(), first);
    assert_eq!(world.stock("desk-lamp").await, (45, 0));
    assert_eq!(reason(world.adjust("desk-lamp", 8, "key").await), "idempotency_key_reused");
    assert_eq!(reason(world.adjust("desk-globe", 9, "key").await), "idempotency_key_reused");
    assert_eq!(
        reason(adjust_as(&world, "admin", "another reason", 9, "key").await),
        "idempotency_key_reused"
    );
    // Somebody else's key is another one.
    assert_eq!(adjust_as(&world, "boss", "a count", 9, "key").await.unwrap(), 54);
}

#[tokio::test]
async fn less_than_is_reserved_cannot_be_left() {
    let (world, _folder) = world().await;
    world.reserve("o", &[("desk-lamp", 30)]).await.unwrap();
    assert_eq!(reason(world.adjust("desk-lamp", -2, "key").await), "out_of_stock");
    assert_eq!(world.adjust("desk-lamp", -1, "one").await.unwrap().available, 0);
    // The key is free, since nothing was done under it.
    world.release("o").await.unwrap();
    assert_eq!(world.adjust("desk-lamp", -2, "key").await.unwrap().on_hand, 28);
    assert_eq!(world.moved("desk-lamp").await, 28);
}

#[tokio::test]
async fn an_adjustment_is_refused_for_what_it_cannot_be() {
    let (world, _folder) = world().await;
    assert_eq!(reason(world.adjust("no-such-thing", 1, "key").await), "not_found");
    assert_eq!(reason(world.adjust("desk-lamp", 1, "").await), "idempotency_key_missing");
    assert_eq!(pointers(world.adjust("desk-lamp", 0, "key").await), ["/delta"]);
    assert_eq!(pointers(world.adjust("desk-lamp", 1_000_001, "key").await), ["/delta"]);
    assert_eq!(pointers(world.adjust("desk-lamp", i64::MIN, "key").await), ["/delta"]);
    assert_eq!(pointers(adjust_as(&world, "", " ", 1, "key").await), ["/user_id", "/reason"]);
    assert_eq!(pointers(adjust_as(&world, "admin", &"x".repeat(201), 1, "key").await), ["/reason"]);
    assert_eq!(world.adjust("desk-lamp", 1_000_000, "key").await.unwrap().on_hand, 1_000_031);
    let unknown = GetStockRequest { product_id: "no-such-thing".into() };
    let refused = world.product.clone().get_stock(unknown).await.map_err(Error::from);
    assert_eq!(reason(refused), "not_found");
}

#[tokio::test]
async fn a_crash_in_the_middle_leaves_the_key_to_the_next_try() {
    let (world, folder) = world().await;
    world.adjust("desk-lamp", 9, "key").await.unwrap();
    // As after a crash between claim and work: the row is there, claimed by nobody who lives.
    let crash = |until: i64| {
        sqlx::query("UPDATE idempotency SET answer = NULL, owner = 'dead', claimed_until = ?").bind(until)
    };
    let undo = [
        "UPDATE products SET on_hand = 31 WHERE id = 'desk-lamp'",
        "DELETE FROM stock_moves WHERE delta = 9",
    ];
    for sql in undo {
        sqlx::query(sql).execute(&world.db).await.unwrap();
    }
    crash(clock::wall_ms() + 60_000).execute(&world.db).await.unwrap();
    world.lifecycle.stop().await;
    let again = open(folder.path(), |_| {}).await;
    assert_eq!(reason(again.adjust("desk-lamp", 9, "key").await), "idempotency_in_flight");
    crash(clock::wall_ms() - 1).execute(&again.db).await.unwrap();
    assert_eq!(again.adjust("desk-lamp", 9, "key").await.unwrap().on_hand, 40);
    assert_eq!(again.adjust("desk-lamp", 9, "key").await.unwrap().on_hand, 40);
    assert_eq!(again.moved("desk-lamp").await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_that_comes_many_times_at_once_works_once() {
    let (world, _folder) = world().await;
    let mut tries = JoinSet::new();
    for _ in 0..16 {
        let world = world.clone();
        tries.spawn(async move { world.adjust("desk-lamp", 9, "key").await });
    }
    let done = tries.join_all().await;
    assert!(done.iter().any(Result::is_ok));
    for one in done {
        match one {
            Ok(stock) => assert_eq!(stock.on_hand, 40),
            Err(error) => assert_eq!(error.reason(), "idempotency_in_flight"),
        }
    }
    assert_eq!(world.stock("desk-lamp").await, (40, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn losses_and_orders_at_once_never_promise_what_is_not_there() {
    let (world, _folder) = world().await;
    world.set_stock("desk-lamp", 40).await;
    let mut tries = JoinSet::new();
    for at in 0..64 {
        let world = world.clone();
        tries.spawn(async move {
            match at % 2 {
                0 => (1, world.reserve(&format!("o{at}"), &[("desk-lamp", 1)]).await.map(|_| ())),
                _ => (0, world.adjust("desk-lamp", -1, &format!("k{at}")).await.map(|_| ())),
            }
        });
    }
    let done = tries.join_all().await;
    let count = |kind| done.iter().filter(|one| one.0 == kind && one.1.is_ok()).count() as i64;
    let (held, lost) = (count(1), count(0));
    assert_eq!(held + lost, 40);
    for (_, one) in done {
        assert!(one.is_ok() || reason(one) == "out_of_stock");
    }
    assert_eq!(world.stock("desk-lamp").await, (40 - lost, held));
    assert_eq!(world.moved("desk-lamp").await, 40 - lost);
}
