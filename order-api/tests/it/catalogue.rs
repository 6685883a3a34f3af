//! Categories and products, as everybody sees them.

use proto::product::v1::{
    Category, GetProductRequest, Item, ListCategoriesRequest, ListCategoriesResponse, ListProductsRequest,
    ListProductsResponse,
};
use proto::v1::Page;
use serde_json::json;
use shared::error::{Error, Violation};

use crate::answer::Answer;
use crate::samples::{kettle, kettle_json};
use crate::world::World;

#[tokio::test]
async fn categories_are_listed() {
    let world = World::new("categories").await;
    world.product.on("list_categories", |_: ListCategoriesRequest| {
        let kitchen = Category { id: "kitchen".to_owned(), name: "Kitchen".to_owned(), product_count: 4 };
        Ok(ListCategoriesResponse { items: vec![kitchen] })
    });
    let expected = json!({"items": [{"id": "kitchen", "name": "Kitchen", "product_count": 4}]});
    assert_eq!(world.get("/v1/categories").await.body(200), expected);
}

#[tokio::test]
async fn products_are_listed_by_page() {
    let world = World::new("products").await;
    world.product.on("list_products", |req: ListProductsRequest| {
        let next = if req.page.unwrap().token.is_empty() { "next" } else { "" };
        Ok(ListProductsResponse { items: vec![kettle()], next_page_token: next.to_owned() })
    });
    let first = world.get("/v1/products").await.body(200);
    assert_eq!(first, json!({"items": [kettle_json()], "next_page_token": "next"}));
    let path = "/v1/products?category=kitchen&q=tea%20pot&sort=-price&page_size=7&page_token=next";
    assert_eq!(world.get(path).await.body(200), json!({"items": [kettle_json()]}));
    let asked: Vec<ListProductsRequest> = world.product.asked("list_products");
    assert_eq!(
        asked,
        [
            ListProductsRequest {
                sort: "name".to_owned(),
                page: Some(Page { size: 20, token: String::new() }),
                ..ListProductsRequest::default()
            },
            ListProductsRequest {
                category: "kitchen".to_owned(),
                query: "tea pot".to_owned(),
                sort: "-price".to_owned(),
                page: Some(Page { size: 7, token: "next".to_owned() }),
            },
        ]
    );
}

#[tokio::test]
async fn a_list_is_refused_for_all_its_faults_at_once() {
    let world = World::new("products-faults").await;
    let answer = world.get("/v1/products?sort=cheap&page_size=101&colour=red&q=a&q=b").await;
    assert_eq!(answer.faults(), ["/q", "/sort", "/page_size", "/colour"]);
    world.product.on("list_products", |_: ListProductsRequest| {
        let fault = Violation::new("/page_token", "is no token of this list and this filter");
        Err::<ListProductsResponse, _>(Error::invalid(vec![fault]))
    });
    assert_eq!(world.get("/v1/products?page_token=forged").await.faults(), ["/page_token"]);
}

#[tokio::test]
async fn a_product_that_the_client_has_is_not_sent_again() {
    let world = World::new("etag").await;
    world.product.on("get_product", |_: GetProductRequest| Ok(kettle()));
    let answer = world.get("/v1/products/enamel-kettle").await;
    assert_eq!(answer.header("etag"), "\"3\"");
    assert_eq!(answer.body(200), kettle_json());
    for (known, status) in
        [("\"3\"", 304), ("W/\"3\"", 304), ("\"1\", \"3\"", 304), ("*", 304), ("\"2\"", 200)]
    {
        let req = world.request("GET", "/v1/products/enamel-kettle").header("if-none-match", known);
        let answer = Answer::to(req).await;
        assert_eq!(answer.header("etag"), "\"3\"");
        assert_eq!(answer.body(status).is_null(), status == 304, "{known}");
    }
    // A list may come in several lines (RFC 9110, 5.3).
    let req = world.request("GET", "/v1/products/enamel-kettle").header("if-none-match", "\"1\"");
    Answer::to(req.header("if-none-match", "\"3\"")).await.body(304);
}

#[tokio::test]
async fn a_product_that_is_not_there_is_said() {
    let world = World::new("no-product").await;
    world
        .product
        .on("get_product", |_: GetProductRequest| Err::<Item, _>(Error::not_found("no such product")));
    let answer = world.get("/v1/products/nothing").await;
    assert_eq!(answer.problem(404, "not_found")["detail"], "no such product");
    assert_eq!(answer.body["title"], "Not found");
}
