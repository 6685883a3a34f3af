//! What an operator sees of a process: its admin port, and its end.

use e2e::shop::{CARD_OK, Process, SOON};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use shared::testing::eventually;

use crate::crash::SHOP;

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_port_tells_of_health_and_counts_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(SHOP, folder.path(), json!({}), &[]).await;
    let (shop, admin) = (process.shop.clone(), process.admin_port());
    let get = async |path: &str| {
        let rsp = shop.http().get(format!("http://{admin}{path}")).send().await.unwrap();
        (rsp.status().as_u16(), rsp.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(get("/readyz").await, (200, "ready\n".to_owned()));
    let anna = shop.register().await;
    let order = anna.order(&[("claw-hammer", 1)]).await;
    anna.pay(&order, CARD_OK).await.ok(200);
    anna.call(Method::GET, "/v1/orders/nowhere").await.refused(404, "not_found");
    // The gateway's own port shows none of it.
    shop.call(Method::GET, "/metrics").await.refused(404, "not_found");
    let wanted = [
        r#"http_request_duration_ms_count{service="order-api",side="server",method="POST",route="/v1/orders",code="201"} 1"#,
        r#"http_request_duration_ms_count{service="order-api",side="server",method="GET",route="/v1/orders/{id}",code="404"} 1"#,
        r#"rpc_duration_ms_count{service="order-rpc",side="server",method="/ferromart.order.v1.Order/PayOrder",code="0"} 1"#,
        r#"rpc_duration_ms_count{service="order-rpc",side="client",method="/ferromart.product.v1.Product/Reserve",code="0"} 1"#,
        r#"http_request_duration_ms_count{service="payment-sim",side="server",method="POST",route="/v1/charges",code="200"} 1"#,
        r#"queue_events_total{consumer="product-rpc",result="done"} 3"#,
    ];
    // The last event may be on its way.
    let missing = async || {
        let (_, text) = get("/metrics").await;
        let missing: Vec<&str> = wanted.into_iter().filter(|line| !text.contains(*line)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:#?}\n{text}")) }
    };
    let counted = eventually(SOON, async || missing().await.ok());
    if tokio::time::timeout(SOON / 2, counted).await.is_err() {
        panic!("{}", missing().await.unwrap_err());
    }
    shop.audit().await;
    process.signal(Signal::TERM);
    assert_eq!(process.ended().await.code(), Some(0));
    let told = async || (!process.lines_with("\"message\":\"stopped\"").is_empty()).then_some(());
    eventually(SOON, told).await;
}
