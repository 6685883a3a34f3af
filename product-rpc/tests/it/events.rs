//! What the events of orders do to the stock.

use serde_json::json;
use shared::queue::Event;
use tokio::task::JoinSet;

use crate::world::{World, moved, open, reason, world};

/// An order that is being paid for.
async fn paying(world: &World, order: &str, what: &[(&str, i32)]) {
    world.reserve(order, what).await.unwrap();
    world.pin(order).await.unwrap();
}

#[tokio::test]
async fn paid_stock_leaves_the_house() {
    let (world, _folder) = world().await;
    paying(&world, "o", &[("desk-lamp", 2), ("camp-stove", 5)]).await;
    world.tell("o", "pending_payment", "paying").await;
    assert_eq!(world.stock("desk-lamp").await, (31, 2));
    world.tell("o", "paying", "paid").await;
    assert_eq!(world.stock("desk-lamp").await, (29, 0));
    assert_eq!(world.stock("camp-stove").await, (0, 0));
    assert_eq!((world.moved("desk-lamp").await, world.moved("camp-stove").await), (29, 0));
    assert_eq!(world.status("o").await.unwrap(), "taken");
    for refused in [world.pin("o").await, world.reserve("o", &[("desk-lamp", 2), ("camp-stove", 5)]).await] {
        let refused = refused.unwrap_err();
        assert_eq!((refused.reason(), refused.extra("state")), ("illegal_transition", Some(&json!("taken"))));
    }
    assert_eq!(reason(world.release("o").await), "illegal_transition");
    assert_eq!(world.dead_letters().await, [""; 0]);
}

#[tokio::test]
async fn an_order_that_is_given_up_gives_its_stock_back() {
    let (world, _folder) = world().await;
    for (order, to) in [("a", "cancelled"), ("b", "expired")] {
        world.reserve(order, &[("desk-lamp", 2)]).await.unwrap();
        world.tell(order, "pending_payment", to).await;
        assert_eq!(world.status(order).await.unwrap(), "released");
        // Declined, and then given up.
        let pinned = format!("{order}-pinned");
        paying(&world, &pinned, &[("desk-lamp", 2)]).await;
        world.tell(&pinned, "paying", "pending_payment").await;
        assert_eq!(world.stock("desk-lamp").await, (31, 2));
        world.tell(&pinned, "pending_payment", to).await;
        assert_eq!(world.stock("desk-lamp").await, (31, 0));
        assert_eq!(reason(world.pin(&pinned).await), "illegal_transition");
    }
    assert_eq!(world.moved("desk-lamp").await, 31);
    assert_eq!(world.dead_letters().await, [""; 0]);
}

#[tokio::test]
async fn an_order_that_is_given_up_after_its_hold_ended_gives_nothing_back() {
    let (world, _folder) = world().await;
    world.reserve_for("o", &[("desk-lamp", 2)], 1).await.unwrap();
    world.expired("o").await;
    world.reserve("p", &[("desk-lamp", 31)]).await.unwrap();
    world.tell("o", "pending_payment", "expired").await;
    assert_eq!(world.stock("desk-lamp").await, (31, 31));
    assert_eq!(reason(world.pin("o").await), "illegal_transition");
    // An order that never reserved will not do so any more.
    world.tell("never", "pending_payment", "cancelled").await;
    assert_eq!(reason(world.reserve("never", &[("camp-stove", 1)]).await), "illegal_transition");
    assert_eq!(world.dead_letters().await, [""; 0]);
}

#[tokio::test]
async fn a_refund_brings_stock_back_unless_it_was_shipped() {
    let (world, _folder) = world().await;
    for order in ["a", "b", "c"] {
        paying(&world, order, &[("desk-lamp", 10)]).await;
        world.tell(order, "paying", "paid").await;
    }
    assert_eq!(world.stock("desk-lamp").await, (1, 0));
    world.tell("a", "paid", "refunded").await;
    assert_eq!(world.stock("desk-lamp").await, (11, 0));
    assert_eq!(world.status("a").await.unwrap(), "returned");
    world.tell("b", "paid", "shipped").await;
    world.tell("b", "shipped", "refunded").await;
    world.tell("c", "paid", "shipped").await;
    world.tell("c", "shipped", "delivered").await;
    world.tell("c", "delivered", "refunded").await;
    assert_eq!(world.stock("desk-lamp").await, (11, 0));
    assert_eq!(world.moved("desk-lamp").await, 11);
    assert_eq!(reason(world.reserve("a", &[("desk-lamp", 10)]).await), "illegal_transition");
    world.release("a").await.unwrap();
    assert_eq!(world.dead_letters().await, [""; 0]);
}

#[tokio::test]
async fn an_event_that_comes_again_works_once() {
    let (world, folder) = world().await;
    paying(&world, "o", &[("desk-lamp", 2)]).await;
    let (paid, refunded) = (moved("o", "paying", "paid"), moved("o", "paid", "refunded"));
    for event in [&paid, &paid, &refunded, &paid, &refunded] {
        world.publish(event.clone()).await;
    }
    assert_eq!(world.stock("desk-lamp").await, (31, 0));
    // Told once more under another id, as after a restore of the teller's database.
    world.tell("o", "paid", "refunded").await;
    paying(&world, "p", &[("desk-lamp", 2)]).await;
    world.tell("p", "paying", "paid").await;
    world.tell("p", "paying", "paid").await;
    world.reserve("q", &[("desk-lamp", 1)]).await.unwrap();
    world.tell("q", "pending_payment", "cancelled").await;
    world.tell("q", "pending_payment", "cancelled").await;
    assert_eq!(world.stock("desk-lamp").await, (29, 0));
    world.lifecycle.stop().await;
    let again = open(folder.path(), |_| {}).await;
    again.publish(paid).await;
    assert_eq!(again.stock("desk-lamp").await, (29, 0));
    assert_eq!(again.moved("desk-lamp").await, 29);
    assert_eq!(again.dead_letters().await, [""; 0]);
}

#[tokio::test]
async fn what_must_not_happen_changes_nothing_and_is_put_aside() {
    let (world, _folder) = world().await;
    let told = |order: &str, from: &str, to: &str| moved(order, from, to);
    world.reserve_for("expired", &[("desk-lamp", 1)], 1).await.unwrap();
    world.expired("expired").await;
    world.reserve("released", &[("desk-lamp", 1)]).await.unwrap();
    world.release("released").await.unwrap();
    paying(&world, "taken", &[("desk-lamp", 4)]).await;
    world.tell("taken", "paying", "paid").await;
    paying(&world, "pinned", &[("desk-lamp", 3)]).await;
    let wrong = [
        (told("never", "paying", "paid"), "reserved nothing"),
        (told("expired", "paying", "paid"), "is expired"),
        (told("released", "paying", "paid"), "is released"),
        (told("taken", "pending_payment", "cancelled"), "is taken"),
        (told("taken", "pending_payment", "expired"), "is taken"),
        (told("taken", "pending_payment", "refunded"), "cannot be refunded"),
        (told("pinned", "paid", "refunded"), "is pinned"),
        (told("never", "paid", "refunded"), "reserved nothing"),
        (Event::new("order-rpc", "order.paid", "pinned", 1, &json!({"to": 7})).unwrap(), "invalid type"),
        (
            Event::new("order-rpc", "order.paid", "taken", 1, &json!({"order_id": "pinned", "to": "paid"}))
                .unwrap(),
            "not about its subject",
        ),
    ];
    for (at, (event, why)) in wrong.into_iter().enumerate() {
        world.publish(event).await;
        let letters = world.dead_letters().await;
        assert_eq!(letters.len(), at + 1);
        assert!(letters.iter().any(|letter| letter.contains(why)), "{why}: {letters:?}");
        assert_eq!(world.stock("desk-lamp").await, (27, 3), "{why}");
    }
    // The order's next event is worked on.
    world.tell("pinned", "paying", "paid").await;
    assert_eq!(world.stock("desk-lamp").await, (24, 0));
    assert_eq!(world.moved("desk-lamp").await, 24);
}

#[tokio::test]
async fn states_of_a_later_day_are_no_fault() {
    let (world, _folder) = world().await;
    paying(&world, "o", &[("desk-lamp", 1)]).await;
    world.tell("o", "", "pending_payment").await;
    world.tell("o", "paid", "gift_wrapped").await;
    let data = json!({"order_id": "o", "to": "paid", "from": "paying", "carrier": {"name": "x"}});
    world.publish(Event::new("order-rpc", "order.paid", "o", 1, &data).unwrap()).await;
    assert_eq!(world.stock("desk-lamp").await, (30, 0));
    assert_eq!(world.dead_letters().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_orders_at_once_add_up() {
    let (world, _folder) = world().await;
    world.set_stock("desk-lamp", 60).await;
    let mut orders = JoinSet::new();
    for at in 0..48 {
        let world = world.clone();
        orders.spawn(async move {
            let order = format!("o{at}");
            world.reserve(&order, &[("desk-lamp", 1), ("dot-grid-notebook", 2)]).await.unwrap();
            match at % 4 {
                0 => world.tell(&order, "pending_payment", "cancelled").await,
                kind => {
                    world.pin(&order).await.unwrap();
                    world.tell(&order, "paying", "paid").await;
                    if kind == 1 {
                        world.tell(&order, "paid", "refunded").await;
                    }
                }
            }
        });
    }
    orders.join_all().await;
    assert_eq!(world.stock("desk-lamp").await, (36, 0));
    assert_eq!(world.stock("dot-grid-notebook").await, (152, 0));
    assert_eq!(world.moved("dot-grid-notebook").await, 152);
    assert_eq!(world.dead_letters().await, [""; 0]);
}
