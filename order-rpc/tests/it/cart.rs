//! Carts: set, not added; at today's prices; and no reservation.

use std::time::Duration;

use crate::catalogue::Fault;
use crate::world::{euros, pointers, reason, world, world_with};

#[tokio::test]
async fn a_quantity_is_set_and_priced_as_of_today() {
    let world = world().await;
    assert_eq!(world.cart("anna").await.unwrap().total, euros(0));
    world.put("anna", "pot", 9).await.unwrap();
    world.put("anna", "pot", 2).await.unwrap();
    let cart = world.put("anna", "pan", 1).await.unwrap();
    let lines: Vec<_> = cart.items.iter().map(|item| (item.product_id.as_str(), item.quantity)).collect();
    assert_eq!(lines, [("pan", 1), ("pot", 2)]);
    let pot = &cart.items[1];
    assert_eq!((pot.name.as_str(), pot.image_url.as_str()), ("The pot", "/pictures/pot.svg"));
    assert_eq!((&pot.unit_price, &pot.line_total, pot.available), (&euros(2_500), &euros(5_000), 10));
    assert_eq!(cart.total, euros(6_999));
    world.catalogue.set("pot", 3_000, 1);
    let cart = world.cart("anna").await.unwrap();
    assert_eq!((cart.total, cart.items[1].available), (euros(7_999), 1));
    assert!(world.cart("ben").await.unwrap().items.is_empty());
}

#[tokio::test]
async fn lines_go_one_by_one_or_all_at_once() {
    let world = world().await;
    for product in ["pot", "pan", "spoon"] {
        world.put("anna", product, 1).await.unwrap();
    }
    assert_eq!(world.take_out("anna", "pot").await.unwrap().items.len(), 2);
    assert_eq!(world.take_out("anna", "pot").await.unwrap().items.len(), 2);
    assert_eq!(world.take_out("anna", "no such thing").await.unwrap().items.len(), 2);
    world.clear("anna").await.unwrap();
    world.clear("anna").await.unwrap();
    assert!(world.cart("anna").await.unwrap().items.is_empty());
}

#[tokio::test]
async fn what_cannot_be_in_a_cart_is_refused() {
    let world = world().await;
    for quantity in [0, 100, -1] {
        assert_eq!(pointers(world.put("anna", "pot", quantity).await), ["/quantity"]);
    }
    assert_eq!(reason(world.put("anna", "no such thing", 1).await), "not_found");
    assert_eq!(pointers(world.cart("").await), ["/user_id"]);
    assert_eq!(pointers(world.put("", "pot", 1).await), ["/user_id"]);
    assert_eq!(pointers(world.take_out("", "pot").await), ["/user_id"]);
    assert_eq!(pointers(world.clear("").await), ["/user_id"]);
    assert!(world.cart("anna").await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_cart_is_full_with_fifty_lines() {
    let world = world().await;
    for number in 0..51 {
        world.catalogue.set(&format!("thing-{number}"), 100, 1);
    }
    for number in 0..50 {
        world.put("anna", &format!("thing-{number}"), 1).await.unwrap();
    }
    assert_eq!(pointers(world.put("anna", "thing-50", 1).await), ["/product_id"]);
    assert_eq!(world.put("anna", "thing-7", 3).await.unwrap().items.len(), 50);
    world.take_out("anna", "thing-7").await.unwrap();
    assert_eq!(world.put("anna", "thing-50", 1).await.unwrap().total, euros(5_000));
}

#[tokio::test]
async fn a_product_that_is_gone_leaves_the_cart_as_well() {
    let world = world().await;
    world.put("anna", "pot", 2).await.unwrap();
    world.put("anna", "pan", 1).await.unwrap();
    world.catalogue.remove("pot");
    let cart = world.cart("anna").await.unwrap();
    assert_eq!((cart.items.len(), cart.total), (1, euros(1_999)));
    world.catalogue.set("pot", 2_500, 10);
    assert_eq!(world.cart("anna").await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_cart_ends_by_itself() {
    let world = world_with(|config| config.cart.ttl = Duration::from_millis(50)).await;
    world.put("anna", "pot", 2).await.unwrap();
    let is_empty = async || world.cart("anna").await.unwrap().items.is_empty().then_some(());
    shared::testing::eventually(crate::world::SOON, is_empty).await;
}

#[tokio::test]
async fn a_cart_without_prices_is_no_cart() {
    let world = world().await;
    world.put("anna", "pot", 2).await.unwrap();
    world.catalogue.break_down("get_products", Fault::Away);
    assert_eq!(reason(world.cart("anna").await), "unavailable");
    world.catalogue.heal();
    assert_eq!(world.cart("anna").await.unwrap().items.len(), 1);
    world.catalogue.set("pot", i64::MAX / 2, 10);
    assert_eq!(world.cart("anna").await.unwrap().total, euros(i64::MAX - 1));
    world.put("anna", "pot", 3).await.unwrap_err();
    assert_eq!(pointers(world.cart("anna").await), ["/items"]);
}
