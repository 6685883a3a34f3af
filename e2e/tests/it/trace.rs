//! One trace from a customer's request to the last consumer of its event.

use std::collections::BTreeSet;

use e2e::shop::{CARD_OK, Order, Process, SOON};
use reqwest::Method;
use serde_json::{Value, json};
use shared::testing::eventually;

use crate::crash::SHOP;

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_id_is_in_the_log_of_all_services_and_of_the_consumers() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(SHOP, folder.path(), json!({}), &[]).await;
    let shop = &process.shop;
    let anna = shop.register().await;
    let trace_id = "00000000000000000000000000c0ffee";
    let parent = format!("00-{trace_id}-00000000000000c1-01");
    let login = json!({"email": anna.email, "password": anna.password});
    let login = shop.call(Method::POST, "/v1/users/login").json(&login).header("traceparent", &parent);
    login.await.ok(200);
    let answer = anna.place(&[("claw-hammer", 1)]).header("traceparent", &parent).await;
    assert_eq!(answer.trace_id(), trace_id);
    let order = Order(answer.ok(201));
    anna.pay(&order, CARD_OK).header("traceparent", &parent).await.ok(200);

    let lines = async || -> Option<Vec<Value>> {
        let lines = process.lines_with(trace_id);
        let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Three moves, placed, paying, paid: the stock follows them, and so do those who watch.
        let consumed = |by: &str| {
            lines.iter().filter(|line| line["message"] == "consumed" && line["service"] == by).count()
        };
        ((consumed("product-rpc"), consumed("order-api")) == (3, 3)).then_some(lines)
    };
    let lines = eventually(SOON, lines).await;
    let services: BTreeSet<&str> = lines.iter().filter_map(|line| line["service"].as_str()).collect();
    let all = ["order-api", "order-rpc", "payment-sim", "product-rpc", "user-rpc"];
    assert_eq!(services, BTreeSet::from(all));
    for line in &lines {
        assert_eq!(line["trace_id"], trace_id);
        assert_eq!(line["span_id"].as_str().unwrap().len(), 16);
    }
    shop.audit().await;
}
