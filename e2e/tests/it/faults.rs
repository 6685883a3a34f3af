//! What breaks inside, as it looks from outside: 500, 503 and 504, and nothing of the cause.

use e2e::shop::{CARD_OK, Shop};
use reqwest::Method;
use serde_json::json;
use sqlx::{AnyConnection, Connection};

/// Does something to a database behind a service's back.
pub(crate) async fn tamper(url: &str, statement: &str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_is_500_and_the_cause_stays_inside() {
    let Some(shop) = Shop::configured(json!({})).await else { return };
    let product_db = shop.sources().unwrap().product.clone();
    tamper(&product_db, "ALTER TABLE products RENAME TO gone").await;
    let answer = shop.call(Method::GET, "/v1/products/claw-hammer").await;
    let trace_id = answer.trace_id().to_owned();
    assert!(!answer.text.contains("products ") && !answer.text.contains("SQL"), "{}", answer.text);
    answer.refused(500, "internal");
    // Where it broke.
    let logged = shared::telemetry::log::captured(&trace_id).concat();
    assert!(logged.contains("no such table: products"), "{logged}");
    tamper(&product_db, "ALTER TABLE gone RENAME TO products").await;
    shop.call(Method::GET, "/v1/products/claw-hammer").await.ok(200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_503_and_the_others_go_on() {
    // Nobody listens there.
    let away = json!({"Registry": "fixed://127.0.0.1:1"});
    let Some(shop) = Shop::configured(json!({"order-api": {"ProductRpc": away}})).await else { return };
    shop.call(Method::GET, "/v1/products").await.refused(503, "unavailable");
    let anna = shop.register().await;
    let order = anna.order(&[("claw-hammer", 1)]).await;
    anna.pay(&order, CARD_OK).await.ok(200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_504() {
    let Some(shop) = Shop::configured(json!({"order-api": {"Timeout": "1us"}})).await else { return };
    shop.call(Method::GET, "/v1/products").await.refused(504, "deadline_exceeded");
    // Routes with a timeout of their own have time.
    shop.register().await;
    shop.close().await;
}
