//! A shop that is told to stop while customers are at it.

use std::time::Duration;

use e2e::shop::{CARD_OK, Customer, Order, Process, SOON};
use futures_util::future::join_all;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use shared::testing::eventually;
use tokio::time::Instant;

use crate::crash::SHOP;

/// Its own, of the configuration that a process of a test has.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_fails_no_request_that_was_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(SHOP, folder.path(), json!({}), &[]).await;
    let shop = process.shop.clone();
    let customers = join_all((0..8).map(|_| shop.register())).await;
    let before = shop.answers();
    let load = join_all(customers.iter().map(shop_until_it_closes));
    let stop = async {
        eventually(SOON, async || (shop.answers() > before + 60).then_some(())).await;
        process.signal(Signal::TERM);
        let asked = Instant::now();
        (process.ended().await, asked.elapsed())
    };
    let (answered, (status, took)) = tokio::join!(load, stop);
    assert!(status.success(), "{status}");
    assert!(took < GRACE, "{took:?}");

    // Whatever the gateway took on, it answered, and somebody heard it.
    let logged: Vec<Value> = process
        .lines_with("\"order-api\"")
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["kind"] == "http")
        .collect();
    let failed: Vec<&Value> =
        logged.iter().filter(|line| line["code"].as_i64().is_none_or(|code| code >= 499)).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let answered: usize = answered.iter().sum();
    assert_eq!(logged.len(), shop.answers(), "answers that nobody heard");
    assert!(answered > 60, "{answered}");
    // What the last of them told is in the outbox, and is heard of after the next start.
    let again = Process::start(SHOP, folder.path(), json!({}), &[]).await;
    again.shop.audit().await;
    again.kill().await;
}

/// Orders and pays, each request on a connection of its own, until nobody listens any more; how many answers there were.
async fn shop_until_it_closes(customer: &Customer) -> usize {
    let mut answers = 0;
    loop {
        let list = customer.call(Method::GET, "/v1/products").header("Connection", "close");
        let Ok(list) = list.send().await else { return answers };
        assert_eq!(list.status, 200, "{}", list.text);
        let placed = customer.place(&[("claw-hammer", 1)]).header("Connection", "close");
        let Ok(placed) = placed.send().await else { return answers + 1 };
        answers += 2;
        if placed.status == 409 {
            continue;
        }
        let order = Order(placed.ok(201));
        let Ok(paid) = customer.pay(&order, CARD_OK).header("Connection", "close").send().await else {
            return answers;
        };
        paid.ok(200);
        answers += 1;
    }
}
