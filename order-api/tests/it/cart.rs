//! The cart of the signed-in user.

use proto::order::v1::{
    Cart, ClearCartRequest, ClearCartResponse, GetCartRequest, RemoveCartItemRequest, SetCartItemRequest,
};
use serde_json::json;
use shared::error::{Error, Violation};

use crate::answer::Answer;
use crate::samples::{cart, cart_json};
use crate::world::{CUSTOMER, World};

#[tokio::test]
async fn a_cart_is_the_callers_own() {
    let world = World::new("cart").await;
    world.order.on("get_cart", |_: GetCartRequest| Ok(cart()));
    world.order.on("set_cart_item", |_: SetCartItemRequest| Ok(cart()));
    world.order.on("remove_cart_item", |_: RemoveCartItemRequest| Ok(cart()));
    world.order.on("clear_cart", |_: ClearCartRequest| Ok(ClearCartResponse {}));
    let item = "/v1/cart/items/enamel-kettle";
    let put = world.as_customer("PUT", item).json(&json!({"quantity": 2}));
    for req in [world.as_customer("GET", "/v1/cart"), put, world.as_customer("DELETE", item)] {
        assert_eq!(Answer::to(req).await.body(200), cart_json());
    }
    assert!(Answer::to(world.as_customer("DELETE", "/v1/cart")).await.body(204).is_null());
    let (user_id, product_id) = (CUSTOMER.to_owned(), "enamel-kettle".to_owned());
    assert_eq!(
        world.order.asked_once::<SetCartItemRequest>("set_cart_item"),
        SetCartItemRequest { user_id: user_id.clone(), product_id: product_id.clone(), quantity: 2 }
    );
    assert_eq!(
        world.order.asked_once::<RemoveCartItemRequest>("remove_cart_item"),
        RemoveCartItemRequest { user_id: user_id.clone(), product_id }
    );
    assert_eq!(world.order.asked_once::<GetCartRequest>("get_cart").user_id, user_id);
    assert_eq!(world.order.asked_once::<ClearCartRequest>("clear_cart").user_id, user_id);
}

#[tokio::test]
async fn what_cannot_be_put_into_a_cart_is_refused() {
    let world = World::new("cart-refused").await;
    let put = async |body| Answer::to(world.as_customer("PUT", "/v1/cart/items/x").json(&body)).await;
    for bad in [json!({"quantity": 0}), json!({"quantity": 100}), json!({"quantity": "2"}), json!({})] {
        assert_eq!(put(bad).await.faults(), ["/quantity"]);
    }
    assert_eq!(put(json!([])).await.faults(), [""]);
    world
        .order
        .on("set_cart_item", |_: SetCartItemRequest| Err::<Cart, _>(Error::not_found("no such product")));
    put(json!({"quantity": 1})).await.problem(404, "not_found");
    world.order.on("set_cart_item", |_: SetCartItemRequest| {
        Err::<Cart, _>(Error::invalid(vec![Violation::new("/quantity", "a cart has at most 50 lines")]))
    });
    assert_eq!(put(json!({"quantity": 1})).await.faults(), ["/quantity"]);
}
