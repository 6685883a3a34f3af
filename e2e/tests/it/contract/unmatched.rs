//! What no route of the contract answers.

use e2e::shop::Shop;
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_is_404_and_an_unknown_method_405_with_those_that_are_known() {
    let shop = Shop::open().await;
    for path in ["/v1/nothing", "/", "/v1/orders/1/2/3", "/metrics", "/healthz", "/readyz"] {
        shop.call(Method::GET, path).await.refused(404, "not_found");
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/v1/products", "GET, HEAD"),
        (Method::PATCH, "/v1/cart", "DELETE, GET, HEAD"),
        (Method::GET, "/v1/users/login", "POST"),
        (Method::PUT, "/v1/orders", "GET, HEAD, POST"),
    ] {
        let answer = shop.call(method, path).await;
        let mut allow: Vec<&str> = answer.header("allow").split(", ").collect();
        allow.sort_unstable();
        assert_eq!(allow.join(", "), allowed, "{path}");
        answer.refused(405, "method_not_allowed");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_comes_in_is_continued() {
    let shop = Shop::open().await;
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace_id}-00f067aa0ba902b7-01");
    for path in ["/v1/categories", "/v1/nothing"] {
        let answer = shop.call(Method::GET, path).header("traceparent", &parent).await;
        assert_eq!(answer.trace_id(), trace_id, "{path}");
    }
    // What is no traceparent begins a trace of its own.
    let answer = shop.call(Method::GET, "/v1/categories").header("traceparent", "00-zz-zz-01").await;
    assert_ne!(answer.trace_id(), trace_id);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pictures_of_the_catalogue_are_served() {
    let shop = Shop::open().await;
    let list = shop.call(Method::GET, "/v1/products?page_size=100").await.ok(200);
    let products = list["items"].as_array().unwrap();
    for product in products.iter().filter(|product| product["image_url"] != "") {
        let answer = shop.call(Method::GET, product["image_url"].as_str().unwrap()).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "image/svg+xml"), "{product}");
        assert!(answer.text.contains("<svg"), "{product}");
    }
    shop.call(Method::GET, "/pictures/nothing.svg").await.refused(404, "not_found");
    shop.call(Method::GET, "/pictures/..%2Forder.api").await.refused(404, "not_found");
    shop.close().await;
}
