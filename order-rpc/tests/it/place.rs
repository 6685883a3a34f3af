//! Placing: prices, stock, keys, and what is refused.

use std::time::Duration;

use proto::order::v1::{Address, PlaceOrderRequest};
use shared::error::Code;
use shared::testing::eventually;

use crate::catalogue::Fault;
use crate::world::{
    SOON, World, address, euros, history, order, order_of_cart, pointers, reason, world, world_with,
};

/// So that a neighbour that never answers is given up soon.
fn impatiently(config: &mut order_rpc::config::Config) {
    config.product.timeout = Duration::from_millis(500);
}

impl World {
    /// Until product-rpc was asked for stock.
    async fn reserving(&self) {
        eventually(SOON, async || (self.catalogue.calls("reserve") > 0).then_some(())).await;
    }
}

#[tokio::test]
async fn an_order_is_priced_reserved_and_written_down() {
    let world = world().await;
    let before = shared::clock::wall_ms();
    let placed = world.place("anna", "k", &[("pot", 2), ("pan", 1)]).await.unwrap();
    assert_eq!((placed.status.as_str(), placed.user_id.as_str()), ("pending_payment", "anna"));
    assert_eq!((&placed.total, &placed.address), (&euros(6_999), &Some(address())));
    let pot = &placed.items[0];
    assert_eq!((pot.product_id.as_str(), pot.name.as_str(), pot.quantity), ("pot", "The pot", 2));
    assert_eq!((&pot.unit_price, &pot.line_total), (&euros(2_500), &euros(5_000)));
    assert_eq!(history(&placed), ["→pending_payment"]);
    assert_eq!(placed.payment, None);
    assert!(placed.created_at_ms >= before);
    // The hold, which began a little before, and lasts a minute longer.
    let minutes = (placed.expires_at_ms - placed.created_at_ms) as f64 / 60_000.0;
    assert!(minutes > 14.9 && minutes <= 15.0, "{minutes}");
    assert_eq!(world.catalogue.hold(&placed.id), Some("held"));
    assert_eq!(world.catalogue.held_lines(&placed.id), [("pot".into(), 2), ("pan".into(), 1)]);
    assert_eq!(world.get("anna", &placed.id).await.unwrap(), placed);
    world.audit().await;
}

#[tokio::test]
async fn prices_and_names_stay_those_of_the_time_of_ordering() {
    let world = world().await;
    let placed = world.placed("anna").await;
    world.catalogue.set("pot", 1, 1);
    assert_eq!(world.get("anna", &placed.id).await.unwrap(), placed);
    world.catalogue.remove("pot");
    assert_eq!(world.get("anna", &placed.id).await.unwrap(), placed);
}

#[tokio::test]
async fn an_order_ends_before_its_hold_does() {
    let world = world().await;
    world.catalogue.gives(Duration::from_secs(180));
    let placed = world.placed("anna").await;
    let minutes = (placed.expires_at_ms - placed.created_at_ms) as f64 / 60_000.0;
    assert!(minutes > 1.9 && minutes <= 2.0, "{minutes}");
}

#[tokio::test]
async fn the_lines_of_one_product_are_merged_and_faults_point_to_the_first() {
    let world = world().await;
    let placed = world.place("anna", "k", &[("pot", 1), ("pan", 1), ("pot", 2)]).await.unwrap();
    let lines: Vec<_> = placed.items.iter().map(|item| (item.product_id.as_str(), item.quantity)).collect();
    assert_eq!(lines, [("pot", 3), ("pan", 1)]);
    // Seven pots and four pans are left.
    let refused = world.place("anna", "l", &[("spoon", 1), ("spoon", 1), ("pan", 3), ("pot", 4), ("pan", 2)]);
    let refused = refused.await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::Conflict, "out_of_stock"));
    let [fault] = refused.faults() else { panic!("{refused:?}") };
    assert_eq!((fault.pointer.as_str(), &fault.extras["available"]), ("/items/2/quantity", &4.into()));
    assert_eq!(
        pointers(world.place("anna", "m", &[("spoon", 60), ("spoon", 40)]).await),
        ["/items/0/quantity"]
    );
    assert_eq!(world.catalogue.held(), [placed.id]);
}

#[tokio::test]
async fn a_product_that_does_not_exist_is_pointed_to() {
    let world = world().await;
    let refused = world.place("anna", "k", &[("pot", 1), ("a", 1), ("b", 1), ("a", 1)]).await;
    assert_eq!(pointers(refused), ["/items/1/product_id", "/items/2/product_id"]);
    assert_eq!(world.catalogue.calls("reserve"), 0);
}

#[tokio::test]
async fn all_faults_of_a_request_are_told_at_once() {
    let world = world().await;
    let address =
        Address { name: " ".into(), country: "at".into(), line2: Some("x".repeat(201)), ..address() };
    let req = PlaceOrderRequest { address: Some(address), ..order("anna", "k", &[("pot", 0), ("", 1)]) };
    assert_eq!(
        pointers(world.send(req).await),
        ["/items/0/quantity", "/items/1/product_id", "/address/name", "/address/line2", "/address/country"]
    );
    let without = |change: fn(&mut PlaceOrderRequest)| {
        let mut req = order("anna", "k", &[("pot", 1)]);
        change(&mut req);
        req
    };
    let lines = without(|req| {
        let address = req.address.as_mut().unwrap();
        (address.city, address.line2) = ("Graz\n8010".into(), Some("\0".into()));
    });
    assert_eq!(pointers(world.send(lines).await), ["/address/line2", "/address/city"]);
    assert_eq!(pointers(world.send(without(|req| req.address = None)).await), ["/address"]);
    assert_eq!(pointers(world.send(without(|req| req.items.clear())).await), ["/items"]);
    assert_eq!(pointers(world.send(without(|req| req.from_cart = true)).await), ["/items"]);
    assert_eq!(pointers(world.send(without(|req| req.user_id.clear())).await), ["/user_id"]);
    let negative = without(|req| req.expected_total = euros(-1));
    assert_eq!(pointers(world.send(negative).await), ["/expected_total/amount"]);
    assert_eq!(pointers(world.place("anna", "k", &[("spoon", 1); 51]).await), ["/items"]);
    assert_eq!(reason(world.place("anna", "", &[("pot", 1)]).await), "idempotency_key_missing");
    assert_eq!(reason(world.place("anna", &"k".repeat(256), &[("pot", 1)]).await), "invalid_argument");
    assert_eq!((world.catalogue.calls("get_products"), world.records.open_keys().await), (0, 0));
}

#[tokio::test]
async fn an_order_that_costs_nothing_or_too_much_is_none() {
    let world = world().await;
    world.catalogue.set("air", 0, 99);
    world.catalogue.set("moon", i64::MAX, 99);
    assert_eq!(pointers(world.place("anna", "k", &[("air", 3)]).await), ["/items"]);
    assert_eq!(pointers(world.place("anna", "k", &[("moon", 2)]).await), ["/items"]);
    assert_eq!(pointers(world.place("anna", "k", &[("moon", 1), ("pot", 1)]).await), ["/items"]);
    assert_eq!(world.catalogue.calls("reserve"), 0);
}

#[tokio::test]
async fn another_total_than_the_expected_is_told_before_anything_is_reserved() {
    let world = world().await;
    let req =
        |amount| PlaceOrderRequest { expected_total: euros(amount), ..order("anna", "k", &[("pot", 2)]) };
    let refused = world.send(req(4_999)).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::Conflict, "price_changed"));
    let total = refused.extra("total").unwrap();
    assert_eq!((&total["amount"], &total["currency"]), (&5_000.into(), &"EUR".into()));
    assert_eq!(world.catalogue.calls("reserve"), 0);
    // The key was freed with the refusal.
    assert_eq!(world.send(req(5_000)).await.unwrap().total, euros(5_000));
}

#[tokio::test]
async fn a_key_makes_one_order_and_answers_as_it_first_did() {
    let world = world().await;
    let placed = world.place("anna", "k", &[("pot", 1)]).await.unwrap();
    world.cancel("anna", &placed.id, "").await.unwrap();
    assert_eq!(world.place("anna", "k", &[("pot", 1)]).await.unwrap(), placed);
    for other in [
        order("anna", "k", &[("pot", 2)]),
        order("anna", "k", &[("pan", 1)]),
        order_of_cart("anna", "k"),
        PlaceOrderRequest { expected_total: euros(2_500), ..order("anna", "k", &[("pot", 1)]) },
        PlaceOrderRequest {
            address: Some(Address { city: "Graz".into(), ..address() }),
            ..order("anna", "k", &[("pot", 1)])
        },
    ] {
        let refused = world.send(other).await.unwrap_err();
        assert_eq!((refused.code(), refused.reason()), (Code::Unprocessable, "idempotency_key_reused"));
    }
    // Somebody else's key is another one.
    assert_ne!(world.place("ben", "k", &[("pot", 1)]).await.unwrap().id, placed.id);
    assert_eq!(world.records.orders().await.len(), 2);
}

#[tokio::test]
async fn of_many_requests_with_one_key_one_makes_the_order() {
    let world = world().await;
    let all = (0..16).map(|_| world.place("anna", "k", &[("pot", 1)]));
    let (mut ids, mut refused) = (Vec::new(), Vec::new());
    for answer in futures_util::future::join_all(all).await {
        match answer {
            Ok(placed) => ids.push(placed.id),
            Err(error) => refused.push(error.reason().to_owned()),
        }
    }
    ids.dedup();
    assert_eq!((ids.len(), world.records.orders().await.len()), (1, 1));
    assert!(refused.iter().all(|reason| reason == "idempotency_in_flight"), "{refused:?}");
    assert_eq!(world.catalogue.available("pot"), 9);
}

#[tokio::test]
async fn while_the_first_is_at_work_the_second_is_told_so() {
    let world = world().await;
    world.catalogue.break_down("reserve", Fault::Waits);
    let first = world.place("anna", "k", &[("pot", 1)]);
    let second = async {
        world.reserving().await;
        let refused = world.place("anna", "k", &[("pot", 1)]).await.unwrap_err();
        assert_eq!((refused.code(), refused.reason()), (Code::Conflict, "idempotency_in_flight"));
        assert_eq!(refused.retry(), Some(Duration::from_secs(1)));
        world.catalogue.heal();
    };
    let (placed, ()) = tokio::join!(first, second);
    assert_eq!(world.place("anna", "k", &[("pot", 1)]).await.unwrap(), placed.unwrap());
}

#[tokio::test]
async fn a_cart_is_ordered_and_emptied() {
    let world = world().await;
    assert_eq!(reason(world.send(order_of_cart("anna", "k")).await), "cart_empty");
    world.put("anna", "pot", 2).await.unwrap();
    world.put("anna", "pan", 1).await.unwrap();
    let placed = world.send(order_of_cart("anna", "k")).await.unwrap();
    assert_eq!((placed.items.len(), &placed.total), (2, &euros(6_999)));
    assert!(world.cart("anna").await.unwrap().items.is_empty());
    // The same request again, though the cart is another one now.
    world.put("anna", "spoon", 1).await.unwrap();
    assert_eq!(world.send(order_of_cart("anna", "k")).await.unwrap(), placed);
    assert_eq!(world.cart("anna").await.unwrap().items.len(), 1);
    assert_eq!(world.records.orders().await.len(), 1);
}

#[tokio::test]
async fn an_order_by_its_lines_leaves_the_cart_alone() {
    let world = world().await;
    world.put("anna", "pot", 1).await.unwrap();
    world.placed("anna").await;
    assert_eq!(world.cart("anna").await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn what_is_put_into_the_cart_meanwhile_stays_there() {
    let world = world().await;
    for product in ["pot", "pan"] {
        world.put("anna", product, 1).await.unwrap();
    }
    world.catalogue.break_down("reserve", Fault::Waits);
    let placing = world.send(order_of_cart("anna", "k"));
    let changing = async {
        world.reserving().await;
        world.put("anna", "pan", 3).await.unwrap();
        world.put("anna", "spoon", 2).await.unwrap();
        world.catalogue.heal();
    };
    let (placed, ()) = tokio::join!(placing, changing);
    assert_eq!(placed.unwrap().total, euros(4_499));
    let cart = world.cart("anna").await.unwrap();
    let left: Vec<_> = cart.items.iter().map(|item| (item.product_id.as_str(), item.quantity)).collect();
    assert_eq!(left, [("pan", 3), ("spoon", 2)]);
}

#[tokio::test]
async fn a_line_that_cannot_be_served_is_pointed_to_in_the_cart() {
    let world = world().await;
    for (product, quantity) in [("pan", 1), ("pot", 11), ("gone", 1)] {
        world.catalogue.set("gone", 100, 10);
        world.put("anna", product, quantity).await.unwrap();
    }
    world.catalogue.remove("gone");
    let refused = world.send(order_of_cart("anna", "k")).await.unwrap_err();
    assert_eq!((refused.reason(), refused.faults().len()), ("out_of_stock", 1));
    assert_eq!(refused.faults()[0].pointer, "/items/1/quantity");
    let cart = world.cart("anna").await.unwrap();
    assert_eq!(cart.items[1].product_id, "pot");
    assert_eq!(world.records.open_keys().await, 0);
}

#[tokio::test]
async fn without_product_rpc_there_is_no_order_and_the_key_is_free() {
    let world = world_with(impatiently).await;
    world.catalogue.break_down("get_products", Fault::Away);
    assert_eq!(reason(world.place("anna", "k", &[("pot", 1)]).await), "unavailable");
    assert_eq!(world.records.open_keys().await, 0);
    world.catalogue.heal();
    world.catalogue.break_down("get_products", Fault::Stuck);
    assert_eq!(reason(world.place("anna", "k", &[("pot", 1)]).await), "deadline_exceeded");
    world.catalogue.heal();
    world.place("anna", "k", &[("pot", 1)]).await.unwrap();
}

#[tokio::test]
async fn a_hold_whose_answer_is_lost_is_given_back_and_the_key_is_free() {
    for fault in [Fault::Lost, Fault::Hangs, Fault::Stuck, Fault::Away] {
        let world = world_with(impatiently).await;
        world.catalogue.break_down("reserve", fault);
        let refused = reason(world.place("anna", "k", &[("pot", 1)]).await);
        assert!(matches!(refused.as_str(), "unavailable" | "deadline_exceeded"), "{refused}");
        assert_eq!((world.catalogue.held().len(), world.catalogue.available("pot")), (0, 10));
        assert_eq!(world.records.open_keys().await, 0);
        world.catalogue.heal();
        let placed = world.place("anna", "k", &[("pot", 1)]).await.unwrap();
        assert_eq!(world.catalogue.held(), [placed.id]);
    }
}

#[tokio::test]
async fn a_hold_that_cannot_be_given_back_is_found_again_by_its_key() {
    let world = world().await;
    world.put("anna", "pot", 2).await.unwrap();
    world.catalogue.break_down("reserve", Fault::Lost);
    world.catalogue.break_down("release", Fault::Away);
    assert_eq!(reason(world.send(order_of_cart("anna", "k")).await), "unavailable");
    assert_eq!((world.catalogue.held().len(), world.records.open_keys().await), (1, 1));
    // As long as it is there, the key does nothing else.
    world.catalogue.heal();
    world.catalogue.break_down("release", Fault::Away);
    let reserved = world.catalogue.calls("reserve");
    assert_eq!(reason(world.send(order_of_cart("anna", "k")).await), "unavailable");
    assert_eq!((world.catalogue.calls("reserve"), world.records.open_keys().await), (reserved, 1));
    // The cart is another one when the key is heard of again: the old hold would not fit.
    world.put("anna", "pan", 1).await.unwrap();
    world.catalogue.heal();
    let placed = world.send(order_of_cart("anna", "k")).await.unwrap();
    assert_eq!(world.catalogue.held(), std::slice::from_ref(&placed.id));
    assert_eq!(world.catalogue.held_lines(&placed.id), [("pan".into(), 1), ("pot".into(), 2)]);
    assert_eq!((world.catalogue.available("pot"), world.catalogue.available("pan")), (8, 4));
    assert_eq!(world.records.orders().await.len(), 1);
    world.audit().await;
}

#[tokio::test]
async fn a_customer_who_goes_away_gets_the_order_all_the_same() {
    let world = world().await;
    world.catalogue.break_down("reserve", Fault::Waits);
    tokio::select! {
        biased;
        () = world.reserving() => {}
        _ = world.place("anna", "k", &[("pot", 1)]) => panic!("product-rpc waits"),
    }
    world.catalogue.heal();
    let placed = eventually(SOON, async || world.place("anna", "k", &[("pot", 1)]).await.ok()).await;
    assert_eq!((world.catalogue.calls("reserve"), world.records.orders().await.len()), (1, 1));
    assert_eq!(world.catalogue.held(), [placed.id]);
}

#[tokio::test]
async fn who_lost_the_key_meanwhile_writes_no_order() {
    let world = world().await;
    world.catalogue.break_down("reserve", Fault::Waits);
    let late = world.place("anna", "k", &[("pot", 1)]);
    let other = async {
        world.reserving().await;
        // The first is taken for dead. Its hold, which is still on its way, will not be made.
        world.records.end_leases().await;
        world.catalogue.break_down("reserve", Fault::Away);
        assert_eq!(reason(world.place("anna", "k", &[("pot", 1)]).await), "unavailable");
        world.catalogue.heal();
    };
    let (refused, ()) = tokio::join!(late, other);
    assert_eq!(reason(refused), "idempotency_in_flight");
    assert!(world.records.orders().await.is_empty() && world.catalogue.held().is_empty());
    world.place("anna", "k", &[("pot", 1)]).await.unwrap();
    world.audit().await;
}
