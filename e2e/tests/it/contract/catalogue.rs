//! The routes of the catalogue.

use reqwest::Method;
use serde_json::Value;

use super::{contract, shop_with_an_old_token, usual_refusals};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_about_the_catalogue() {
    let Some((shop, old)) = shop_with_an_old_token().await else { return };
    usual_refusals(&shop, "catalogue", &old).await;
    let get = |path: &str| shop.call(Method::GET, path);

    let categories = get("/v1/categories").await.ok(200);
    let categories = categories["items"].as_array().unwrap();
    let count: i64 = categories.iter().map(|one| one["product_count"].as_i64().unwrap()).sum();
    assert!(categories.len() >= 6 && count >= 24, "{categories:?}");

    let (mut products, mut token) = (Vec::<Value>::new(), String::new());
    loop {
        let page = get("/v1/products").query("page_size", "7").query("page_token", &token);
        let page = if token.is_empty() { get("/v1/products?page_size=7").await } else { page.await }.ok(200);
        products.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(products.len(), usize::try_from(count).unwrap());
    let names: Vec<String> =
        products.iter().map(|one| one["name"].as_str().unwrap().to_lowercase()).collect();
    assert!(names.is_sorted(), "{names:?}");
    // A token is bound to its filter.
    let first = get("/v1/products?page_size=2&category=kitchen").await.ok(200);
    let token = first["next_page_token"].as_str().unwrap();
    get("/v1/products?page_size=2&category=garden").query("page_token", token).await.invalid("/page_token");

    for sort in ["price", "-price", "newest", "name"] {
        let page = get("/v1/products?page_size=100").query("sort", sort).await.ok(200);
        assert_eq!(page["items"].as_array().unwrap().len(), products.len(), "{sort}");
        let prices: Vec<i64> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["price"]["amount"].as_i64().unwrap())
            .collect();
        match sort {
            "price" => assert!(prices.is_sorted(), "{prices:?}"),
            "-price" => assert!(prices.iter().rev().is_sorted(), "{prices:?}"),
            _ => {}
        }
    }
    get("/v1/products?sort=best").await.invalid("/sort");
    let found = get("/v1/products?q=HAMMER").await.ok(200);
    assert!(found["items"].as_array().unwrap().iter().any(|one| one["id"] == "claw-hammer"));
    assert!(get("/v1/products?q=no%20such%20thing").await.ok(200)["items"].as_array().unwrap().is_empty());

    let answer = get("/v1/products/claw-hammer").await;
    let tag = answer.header("etag").to_owned();
    let product = answer.ok(200);
    assert_eq!(product["category_id"], "workshop");
    assert_eq!(tag, format!("\"{}\"", product["version"]));
    get("/v1/products/claw-hammer").header("If-None-Match", &tag).await.ok(304);
    get("/v1/products/claw-hammer").header("If-None-Match", "\"999\"").await.ok(200);
    get("/v1/products/nowhere").await.refused(404, "not_found");

    shop.covers(&contract(), "catalogue");
    shop.close().await;
}
