//! Placing, paying, cancelling and reading orders.

use proto::order::v1::{
    CancelOrderRequest, Card, GetOrderRequest, Line, ListOrdersRequest, ListOrdersResponse, OrderView,
    PayOrderRequest, PlaceOrderRequest,
};
use proto::v1::Page;
use serde_json::{Value, json};
use shared::error::{Code, Error, Violation};

use crate::answer::Answer;
use crate::samples::{ORDER, address_json, euros, euros_json, order, order_json, paid};
use crate::world::{CUSTOMER, World};

const PAY: &str = "/v1/orders/0199c0de-7000-7000-8000-0000000000aa/pay";

async fn place(world: &World, body: Value) -> Answer {
    Answer::to(world.as_customer("POST", "/v1/orders").header("idempotency-key", "k1").json(&body)).await
}

fn card() -> Value {
    json!({"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2099, "cvc": "123"}})
}

async fn pay(world: &World, body: Value) -> Answer {
    Answer::to(world.as_customer("POST", PAY).header("idempotency-key", "k2").json(&body)).await
}

#[tokio::test]
async fn an_order_is_made_of_lines_or_of_the_cart() {
    let world = World::new("place").await;
    world.order.on("place_order", |_: PlaceOrderRequest| Ok(order()));
    let lines = json!([{"product_id": "enamel-kettle", "quantity": 2}]);
    let mut address = address_json();
    address["line2"] = json!("Stiege 2");
    let body = json!({"items": lines, "address": address, "expected_total": euros_json(9800)});
    let answer = place(&world, body).await;
    assert_eq!(answer.header("location"), format!("/v1/orders/{ORDER}"));
    assert_eq!(answer.body(201), order_json());
    place(&world, json!({"address": address_json(), "items": null})).await.body(201);
    let asked: Vec<PlaceOrderRequest> = world.order.asked("place_order");
    let shipped_to = order().address.unwrap();
    let first = PlaceOrderRequest {
        user_id: CUSTOMER.to_owned(),
        idempotency_key: "k1".to_owned(),
        items: vec![Line { product_id: "enamel-kettle".to_owned(), quantity: 2 }],
        from_cart: false,
        address: Some(proto::order::v1::Address { line2: Some("Stiege 2".to_owned()), ..shipped_to.clone() }),
        expected_total: euros(9800),
    };
    let of_cart = PlaceOrderRequest {
        items: vec![],
        from_cart: true,
        address: Some(shipped_to),
        expected_total: None,
        ..first.clone()
    };
    assert_eq!(asked, [first, of_cart]);
}

#[tokio::test]
async fn an_order_is_refused_for_all_its_faults_at_once() {
    let world = World::new("place-faults").await;
    let body = json!({
        "items": [{"product_id": "a", "quantity": 1}, {"product_id": "", "quantity": 100, "price": 1}],
        "address": {"name": "Ada", "line1": "Ring 1", "city": "", "postal_code": "1010", "country": "XX"},
        "expected_total": {"amount": -1, "currency": "EURO"},
    });
    assert_eq!(
        place(&world, body).await.faults(),
        [
            "/items/1/product_id",
            "/items/1/quantity",
            "/items/1/price",
            "/address/city",
            "/address/country",
            "/expected_total/amount",
            "/expected_total/currency",
        ]
    );
    assert_eq!(place(&world, json!({"items": []})).await.faults(), ["/items", "/address"]);
    assert!(world.order.asked::<PlaceOrderRequest>("place_order").is_empty());
}

#[tokio::test]
async fn placing_and_paying_need_a_key() {
    let world = World::new("no-idempotency-key").await;
    for (path, body) in [("/v1/orders", json!({"address": address_json()})), (PAY, card())] {
        let answer = Answer::to(world.as_customer("POST", path).json(&body)).await;
        answer.problem(400, "idempotency_key_missing");
        let long = world.as_customer("POST", path).header("idempotency-key", "k".repeat(256)).json(&body);
        assert_eq!(Answer::to(long).await.faults(), ["/Idempotency-Key"]);
    }
}

#[tokio::test]
async fn why_an_order_cannot_be_made_passes_through() {
    let world = World::new("place-refused").await;
    let refuse = async |error: fn() -> Error| {
        world.order.on("place_order", move |_: PlaceOrderRequest| Err::<OrderView, _>(error()));
        place(&world, json!({"address": address_json()})).await
    };
    let answer = refuse(|| {
        Error::new(Code::Conflict, "out_of_stock", "1 of 2 lines cannot be served")
            .violations(vec![Violation::new("/items/0/quantity", "3 left").with("available", 3)])
    })
    .await;
    let problem = answer.problem(409, "out_of_stock");
    assert_eq!(problem["title"], "Out of stock");
    assert_eq!(
        problem["errors"],
        json!([{"pointer": "/items/0/quantity", "detail": "3 left", "available": 3}])
    );
    let answer = refuse(|| {
        Error::new(Code::Conflict, "price_changed", "the total is another").with("total", euros_json(9900))
    })
    .await;
    assert_eq!(answer.problem(409, "price_changed")["total"], euros_json(9900));
    let answer =
        refuse(|| Error::invalid(vec![Violation::new("/items/0/product_id", "there is no such product")]))
            .await;
    assert_eq!(answer.faults(), ["/items/0/product_id"]);
    let answer = refuse(|| Error::new(Code::InvalidArgument, "cart_empty", "the cart is empty")).await;
    answer.problem(400, "cart_empty");
    let answer = refuse(|| Error::new(Code::Conflict, "idempotency_in_flight", "at work")).await;
    answer.problem(409, "idempotency_in_flight");
    let answer = refuse(|| Error::new(Code::Unprocessable, "idempotency_key_reused", "another")).await;
    answer.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn orders_are_read() {
    let world = World::new("orders-read").await;
    world.order.on("get_order", |_: GetOrderRequest| Ok(paid()));
    world.order.on("list_orders", |_: ListOrdersRequest| {
        Ok(ListOrdersResponse { items: vec![order()], next_page_token: "next".to_owned() })
    });
    let answer = Answer::to(world.as_customer("GET", &format!("/v1/orders/{ORDER}"))).await.body(200);
    assert_eq!(
        answer["payment"],
        json!({
            "status": "succeeded", "card_brand": "visa", "card_last4": "4242",
            "paid_at": "2026-11-22T09:30:00.123Z",
        })
    );
    assert_eq!(answer["history"][2]["from"], "paying");
    assert_eq!(answer["history"][2]["reason"], "charged");
    assert_eq!(
        world.order.asked_once::<GetOrderRequest>("get_order"),
        GetOrderRequest { user_id: CUSTOMER.to_owned(), order_id: ORDER.to_owned() }
    );
    let path = "/v1/orders?status=pending_payment&page_size=1&page_token=t";
    let list = Answer::to(world.as_customer("GET", path)).await.body(200);
    assert_eq!(list, json!({"items": [order_json()], "next_page_token": "next"}));
    assert_eq!(
        world.order.asked_once::<ListOrdersRequest>("list_orders"),
        ListOrdersRequest {
            user_id: CUSTOMER.to_owned(),
            status: "pending_payment".to_owned(),
            page: Some(Page { size: 1, token: "t".to_owned() }),
        }
    );
    let answer = Answer::to(world.as_customer("GET", "/v1/orders?status=lost&page_size=x")).await;
    assert_eq!(answer.faults(), ["/status", "/page_size"]);
    world.order.on("get_order", |_: GetOrderRequest| Err::<OrderView, _>(Error::not_found("no such order")));
    Answer::to(world.as_customer("GET", "/v1/orders/another")).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_payment_ends_well_or_not_or_not_yet() {
    let world = World::new("pay").await;
    world.order.on("pay_order", |_: PayOrderRequest| Ok(paid()));
    assert_eq!(pay(&world, card()).await.body(200)["status"], "paid");
    let asked = PayOrderRequest {
        user_id: CUSTOMER.to_owned(),
        order_id: ORDER.to_owned(),
        idempotency_key: "k2".to_owned(),
        card: Some(Card {
            number: "4242424242424242".to_owned(),
            exp_month: 12,
            exp_year: 2099,
            cvc: "123".to_owned(),
        }),
    };
    // What holds a card cannot be printed.
    assert!(world.order.asked_once::<PayOrderRequest>("pay_order") == asked);
    world.order.on("pay_order", |_: PayOrderRequest| {
        let mut order = OrderView { status: "paying".to_owned(), ..paid() };
        order.payment.as_mut().unwrap().paid_at_ms = 0;
        Ok(order)
    });
    let order = pay(&world, card()).await.body(202);
    assert_eq!((&order["status"], &order["payment"]["paid_at"]), (&json!("paying"), &Value::Null));
    world.order.on("pay_order", |_: PayOrderRequest| {
        let declined = Error::new(Code::PaymentRequired, "payment_declined", "the card was declined");
        Err::<OrderView, _>(declined.with("decline_code", "insufficient_funds"))
    });
    let answer = pay(&world, card()).await;
    assert_eq!(answer.problem(402, "payment_declined")["decline_code"], "insufficient_funds");
    world.order.on("pay_order", |_: PayOrderRequest| {
        Err::<OrderView, _>(Error::invalid(vec![Violation::new("/card/exp_year", "is in the past")]))
    });
    assert_eq!(pay(&world, card()).await.faults(), ["/card/exp_year"]);
}

#[tokio::test]
async fn a_card_is_refused_for_all_its_faults_at_once_and_not_repeated() {
    let world = World::new("pay-faults").await;
    let body =
        json!({"card": {"number": "4242424242424241", "exp_month": 13, "exp_year": 1999, "cvc": "12a4"}});
    let answer = pay(&world, body).await;
    assert_eq!(answer.faults(), ["/card/number", "/card/exp_month", "/card/exp_year", "/card/cvc"]);
    let text = answer.body.to_string();
    assert!(!text.contains("4242424242424241") && !text.contains("12a4"), "{text}");
}

#[tokio::test]
async fn an_order_is_cancelled_with_or_without_a_reason() {
    let world = World::new("cancel").await;
    world.order.on("cancel_order", |_: CancelOrderRequest| {
        Ok(OrderView { status: "cancelled".to_owned(), ..order() })
    });
    let path = format!("/v1/orders/{ORDER}/cancel");
    assert_eq!(Answer::to(world.as_customer("POST", &path)).await.body(200)["status"], "cancelled");
    let with = world.as_customer("POST", &path).json(&json!({"reason": "too late"}));
    Answer::to(with).await.body(200);
    let asked: Vec<CancelOrderRequest> = world.order.asked("cancel_order");
    assert_eq!(asked.iter().map(|req| req.reason.as_str()).collect::<Vec<_>>(), ["", "too late"]);
    assert!(asked.iter().all(|req| req.user_id == CUSTOMER && req.order_id == ORDER));
    world.order.on("cancel_order", |_: CancelOrderRequest| {
        let illegal = Error::new(Code::Conflict, "illegal_transition", "it has left the house");
        Err::<OrderView, _>(illegal.with("state", "shipped"))
    });
    let answer = Answer::to(world.as_customer("POST", &path)).await;
    assert_eq!(answer.problem(409, "illegal_transition")["state"], "shipped");
}
