//! What administrators do.

use proto::order::v1::{ListOrdersRequest, ListOrdersResponse, MoveOrderRequest, OrderView};
use proto::product::v1::{
    AdjustStockRequest, CreateProductRequest, GetProductRequest, GetStockRequest, Item, Stock,
    UpdateProductRequest,
};
use serde_json::{Value, json};
use shared::error::{Code, Error};

use crate::answer::Answer;
use crate::samples::{ORDER, euros, euros_json, kettle, kettle_json, order, order_json};
use crate::world::{ADMIN, World};

#[tokio::test]
async fn the_orders_of_everybody_are_listed() {
    let world = World::new("admin-orders").await;
    world.order.on("list_orders", |_: ListOrdersRequest| {
        Ok(ListOrdersResponse { items: vec![order()], next_page_token: String::new() })
    });
    let list = Answer::to(world.as_admin("GET", "/v1/admin/orders?status=paid")).await.body(200);
    assert_eq!(list, json!({"items": [order_json()]}));
    let asked: ListOrdersRequest = world.order.asked_once("list_orders");
    assert_eq!((asked.user_id.as_str(), asked.status.as_str()), ("", "paid"));
}

#[tokio::test]
async fn an_order_goes_its_way() {
    let world = World::new("admin-moves").await;
    let moves = [("ship", "ship_order"), ("deliver", "deliver_order"), ("refund", "refund_order")];
    for (name, method) in moves {
        let path = format!("/v1/admin/orders/{ORDER}/{name}");
        world.order.on(method, |_: MoveOrderRequest| Ok(order()));
        let req = world.as_admin("POST", &path).json(&json!({"reason": "by hand"}));
        assert_eq!(Answer::to(req).await.body(200), order_json());
        let expected = MoveOrderRequest {
            order_id: ORDER.to_owned(),
            reason: "by hand".to_owned(),
            actor_id: ADMIN.to_owned(),
        };
        assert_eq!(world.order.asked_once::<MoveOrderRequest>(method), expected);
        world.order.on(method, |_: MoveOrderRequest| {
            let illegal = Error::new(Code::Conflict, "illegal_transition", "not now");
            Err::<OrderView, _>(illegal.with("state", "cancelled"))
        });
        let answer = Answer::to(world.as_admin("POST", &path)).await;
        assert_eq!(answer.problem(409, "illegal_transition")["state"], "cancelled");
        let long = world.as_admin("POST", &path).json(&json!({"reason": "x".repeat(201)}));
        assert_eq!(Answer::to(long).await.faults(), ["/reason"]);
    }
}

fn new_kettle() -> Value {
    json!({
        "name": "Enamel kettle", "description": "It whistles.", "category_id": "kitchen",
        "price": euros_json(4900), "on_hand": 12,
    })
}

#[tokio::test]
async fn a_product_is_made() {
    let world = World::new("admin-create").await;
    let create = async |body| Answer::to(world.as_admin("POST", "/v1/admin/products").json(&body)).await;
    world.product.on("create_product", |_: CreateProductRequest| Ok(kettle()));
    let answer = create(new_kettle()).await;
    assert_eq!(answer.header("location"), "/v1/products/enamel-kettle");
    assert_eq!(answer.header("etag"), "\"3\"");
    assert_eq!(answer.body(201), kettle_json());
    let asked: CreateProductRequest = world.product.asked_once("create_product");
    let expected = CreateProductRequest {
        name: "Enamel kettle".to_owned(),
        description: "It whistles.".to_owned(),
        category_id: "kitchen".to_owned(),
        price: euros(4900),
        on_hand: 12,
        ..CreateProductRequest::default()
    };
    assert_eq!(asked, expected);
    let answer = create(json!({"id": "No Slug", "price": {"amount": 1.5}, "on_hand": -1})).await;
    assert_eq!(
        answer.faults(),
        ["/id", "/name", "/description", "/category_id", "/price/amount", "/price/currency", "/on_hand"]
    );
    world.product.on("create_product", |_: CreateProductRequest| {
        Err::<Item, _>(Error::new(Code::Conflict, "version_conflict", "it is there already"))
    });
    create(new_kettle()).await.problem(409, "version_conflict");
}

#[tokio::test]
async fn a_product_is_changed_in_the_version_that_was_read() {
    let world = World::new("admin-edit").await;
    let path = "/v1/admin/products/enamel-kettle";
    let body = json!({"name": "Kettle", "price": euros_json(5000)});
    let edit = async |version: Option<&str>| {
        let mut req = world.as_admin("PATCH", path).json(&body);
        if let Some(version) = version {
            req = req.header("if-match", version);
        }
        Answer::to(req).await
    };
    edit(None).await.problem(428, "precondition_required");
    for unfit in ["3", "W/\"3\"", "\"x\"", "\"03\""] {
        edit(Some(unfit)).await.problem(412, "precondition_failed");
    }
    assert!(world.product.asked::<UpdateProductRequest>("update_product").is_empty());
    world.product.on("update_product", |_: UpdateProductRequest| Ok(Item { version: 4, ..kettle() }));
    let answer = edit(Some("\"3\"")).await;
    assert_eq!(answer.header("etag"), "\"4\"");
    assert_eq!(answer.body(200)["version"], 4);
    let expected = UpdateProductRequest {
        id: "enamel-kettle".to_owned(),
        expected_version: 3,
        name: Some("Kettle".to_owned()),
        price: euros(5000),
        ..UpdateProductRequest::default()
    };
    assert_eq!(world.product.asked_once::<UpdateProductRequest>("update_product"), expected);
    world.product.on("update_product", |_: UpdateProductRequest| {
        Err::<Item, _>(Error::of(Code::PreconditionFailed, "it was changed since").with("version", 5))
    });
    assert_eq!(edit(Some("\"4\"")).await.problem(412, "precondition_failed")["version"], 5);
}

#[tokio::test]
async fn if_match_may_name_several_versions_or_any() {
    let world = World::new("admin-edit-several").await;
    world.product.on("get_product", |_: GetProductRequest| Ok(kettle()));
    world.product.on("update_product", |_: UpdateProductRequest| Ok(Item { version: 4, ..kettle() }));
    let edit = async |lines: &[&str]| {
        let req =
            world.as_admin("PATCH", "/v1/admin/products/enamel-kettle").json(&json!({"name": "Kettle"}));
        Answer::to(lines.iter().fold(req, |req, line| req.header("if-match", *line))).await
    };
    edit(&["\"1\", \"2\""]).await.problem(412, "precondition_failed");
    assert!(world.product.asked::<UpdateProductRequest>("update_product").is_empty());
    for fits in [&["\"2\", \"3\""][..], &["\"3\"", "\"2\""], &["*"]] {
        edit(fits).await.body(200);
    }
    let asked: Vec<UpdateProductRequest> = world.product.asked("update_product");
    assert!(asked.len() == 3 && asked.iter().all(|req| req.expected_version == 3), "{asked:?}");
    world
        .product
        .on("get_product", |_: GetProductRequest| Err::<Item, _>(Error::not_found("no such product")));
    edit(&["*"]).await.problem(404, "not_found");
}

#[tokio::test]
async fn stock_is_read_and_adjusted() {
    let world = World::new("admin-stock").await;
    let path = "/v1/admin/products/enamel-kettle/stock";
    let stock = Stock { product_id: "enamel-kettle".to_owned(), on_hand: 20, reserved: 8, available: 12 };
    let answer = stock.clone();
    world.product.on("get_stock", move |_: GetStockRequest| Ok(answer.clone()));
    world.product.on("adjust_stock", move |_: AdjustStockRequest| Ok(stock.clone()));
    let expected = json!({"product_id": "enamel-kettle", "on_hand": 20, "reserved": 8, "available": 12});
    assert_eq!(Answer::to(world.as_admin("GET", path)).await.body(200), expected);
    let body = json!({"delta": -3, "reason": "broken"});
    let adjust =
        async || Answer::to(world.as_admin("POST", path).header("idempotency-key", "k3").json(&body)).await;
    assert_eq!(adjust().await.body(200), expected);
    let asked = AdjustStockRequest {
        product_id: "enamel-kettle".to_owned(),
        delta: -3,
        reason: "broken".to_owned(),
        idempotency_key: "k3".to_owned(),
        user_id: ADMIN.to_owned(),
    };
    assert_eq!(world.product.asked_once::<AdjustStockRequest>("adjust_stock"), asked);
    let bare = world.as_admin("POST", path).json(&body);
    Answer::to(bare).await.problem(400, "idempotency_key_missing");
    world.product.on("adjust_stock", |_: AdjustStockRequest| {
        Err::<Stock, _>(Error::new(Code::Conflict, "out_of_stock", "8 are reserved"))
    });
    adjust().await.problem(409, "out_of_stock");
}
