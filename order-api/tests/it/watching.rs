//! An order that is watched: what is past first, then live, each move once.

use std::time::Duration;

use futures_util::FutureExt;
use proto::order::TOPIC;
use proto::order::v1::{GetOrderRequest, Move, OrderView};
use serde_json::json;
use shared::error::Error;
use shared::queue::Event;
use shared::telemetry::log;
use shared::testing::eventually;

use crate::answer::Answer;
use crate::samples::{ORDER, moved, order, step};
use crate::stream::{Events, Told};
use crate::world::{CUSTOMER, WAIT, World};

const PATH: &str = "/v1/orders/0199c0de-7000-7000-8000-0000000000aa/events";

const STATES: [&str; 5] = ["pending_payment", "paying", "paid", "shipped", "delivered"];

impl World {
    /// From now on the order has made its first `count` moves.
    fn has_moved(&self, count: usize) {
        let history: Vec<Move> =
            (1..).zip(STATES).take(count).map(|(seq, state)| step(seq, "", state)).collect();
        self.order
            .on("get_order", move |_: GetOrderRequest| Ok(OrderView { history: history.clone(), ..order() }));
    }

    async fn publish(&self, event: Event) {
        self.queue.publish(TOPIC, event).await.unwrap();
    }

    /// A stream that has begun: it has told the first `count` moves.
    async fn watch(&self, count: usize) -> Events {
        let mut events = Events::open(self.as_customer("GET", PATH)).await;
        for (seq, state) in (1..).zip(STATES).take(count) {
            assert_eq!(events.told().await, (seq, state.to_owned()));
        }
        events
    }
}

#[tokio::test]
async fn what_is_past_is_told_first() {
    let world = World::new("watch-past").await;
    world.has_moved(3);
    let mut events = Events::open(world.as_customer("GET", PATH)).await;
    let data = json!({
        "order_id": ORDER, "status": "pending_payment", "seq": 1, "at": "2026-11-22T09:30:00.124Z",
    });
    let first = Told { id: "1".to_owned(), name: "order.status".to_owned(), data };
    assert_eq!(events.next().await, Some(first));
    assert_eq!(events.told().await, (2, "paying".to_owned()));
    assert_eq!(events.told().await, (3, "paid".to_owned()));
    assert_eq!(
        world.order.asked_once::<GetOrderRequest>("get_order"),
        GetOrderRequest { user_id: CUSTOMER.to_owned(), order_id: ORDER.to_owned() }
    );
}

#[tokio::test]
async fn who_comes_back_is_told_what_they_missed() {
    let world = World::new("watch-again").await;
    world.has_moved(3);
    for (last, next) in [("0", 1), ("1", 2), ("2", 3)] {
        let req = world.as_customer("GET", PATH).header("last-event-id", last);
        assert_eq!(Events::open(req).await.told().await.0, next);
    }
    // An id that was never given cannot hide what happens.
    let mut events = Events::open(world.as_customer("GET", PATH).header("last-event-id", "99")).await;
    world.publish(moved(4, "shipped")).await;
    assert_eq!(events.told().await, (4, "shipped".to_owned()));
    for bad in ["-1", "x"] {
        let req = world.as_customer("GET", PATH).header("last-event-id", bad);
        assert_eq!(Answer::to(req).await.faults(), ["/Last-Event-ID"]);
    }
}

#[tokio::test]
async fn what_happens_is_told_live_and_once() {
    let world = World::new("watch-live").await;
    world.has_moved(1);
    let (mut one, mut other) = (world.watch(1).await, world.watch(1).await);
    // Delivered at least once, and about other orders too.
    for event in [moved(1, "pending_payment"), moved(2, "paying"), moved(2, "paying"), moved(3, "paid")] {
        world.publish(event).await;
    }
    let mut elsewhere = moved(4, "shipped");
    elsewhere.subject = "another order".to_owned();
    world.publish(elsewhere).await;
    world.publish(moved(4, "cancelled")).await;
    for events in [&mut one, &mut other] {
        assert_eq!(events.told().await, (2, "paying".to_owned()));
        assert_eq!(events.told().await, (3, "paid".to_owned()));
        assert_eq!(events.told().await, (4, "cancelled".to_owned()));
    }
    assert_eq!(world.order.asked::<GetOrderRequest>("get_order").len(), 2);
}

#[tokio::test]
async fn what_happens_while_the_history_is_read_is_not_lost() {
    let world = World::new("watch-race").await;
    let queue = world.queue.clone();
    world.order.on("get_order", move |_: GetOrderRequest| {
        // After the history was read, and before its answer arrives.
        queue.publish(TOPIC, moved(2, "paying")).now_or_never().expect("nobody is waited for").unwrap();
        Ok(order())
    });
    let mut events = Events::open(world.as_customer("GET", PATH)).await;
    assert_eq!(events.told().await, (1, "pending_payment".to_owned()));
    assert_eq!(events.told().await, (2, "paying".to_owned()));
}

#[tokio::test]
async fn what_was_missed_is_read_from_the_history() {
    let world = World::new("watch-gap").await;
    world.has_moved(1);
    let mut events = world.watch(1).await;
    world.has_moved(4);
    world.publish(moved(4, "shipped")).await;
    for expected in [(2, "paying"), (3, "paid"), (4, "shipped")] {
        assert_eq!(events.told().await, (expected.0, expected.1.to_owned()));
    }
    world.publish(moved(3, "paid")).await;
    world.publish(moved(5, "delivered")).await;
    assert_eq!(events.told().await, (5, "delivered".to_owned()));
    // An event that cannot be read may have been about any move.
    world.has_moved(5);
    let mut broken = moved(6, "refunded");
    broken.data = json!("?");
    world.publish(broken).await;
    eventually(WAIT, async || (world.order.asked::<GetOrderRequest>("get_order").len() == 3).then_some(()))
        .await;
}

#[tokio::test]
async fn a_history_that_cannot_be_read_ends_the_stream() {
    let world = World::new("watch-broken").await;
    world.has_moved(1);
    let mut events = world.watch(1).await;
    world.order.on("get_order", |_: GetOrderRequest| Err::<OrderView, _>(Error::unavailable("not now")));
    world.publish(moved(4, "shipped")).await;
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn somebody_elses_order_is_not_there() {
    let world = World::new("watch-other").await;
    world.order.on("get_order", |_: GetOrderRequest| Err::<OrderView, _>(Error::not_found("no such order")));
    Answer::to(world.as_customer("GET", PATH)).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_stream_lives_by_comments_while_nothing_happens() {
    let world = World::with("watch-beat", |listen, _| listen.heartbeat = Duration::from_millis(20)).await;
    world.has_moved(1);
    let mut rsp = world.as_customer("GET", PATH).send().await.unwrap();
    let mut text = String::new();
    while text.matches("\n:\n\n").count() < 2 {
        let chunk = tokio::time::timeout(WAIT, rsp.chunk()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(text.starts_with("id: 1\nevent: order.status\ndata: {"), "{text}");
}

#[tokio::test]
async fn streams_are_bounded_and_end_with_their_clients() {
    let world = World::with("watch-most", |_, own| own.watch.most = 1).await;
    world.has_moved(1);
    let events = world.watch(1).await;
    let refused = Answer::to(world.as_customer("GET", PATH)).await;
    refused.problem(503, "overloaded");
    assert_eq!(refused.header("retry-after"), "1");
    drop(events);
    let again = async || {
        let rsp = world.as_customer("GET", PATH).send().await.unwrap();
        (rsp.status() == 200).then_some(())
    };
    eventually(WAIT, again).await;
}

#[tokio::test]
async fn a_gateway_that_stops_ends_its_streams_well() {
    let world = World::new("watch-drain").await;
    world.has_moved(1);
    let mut events = world.watch(1).await;
    let (last, ()) = tokio::join!(events.next(), world.lifecycle.stop());
    assert_eq!(last, None);
}

#[tokio::test]
async fn an_event_is_logged_in_the_trace_of_the_request_that_caused_it() {
    log::capture();
    let world = World::new("watch-trace").await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let mut event = moved(3, "paid");
    event.traceparent = Some(format!("00-{trace}-00f067aa0ba902b7-01"));
    world.publish(event).await;
    let consumed = async || log::captured(trace).into_iter().find(|line| line.contains("\"consumed\""));
    let line: serde_json::Value = serde_json::from_str(&eventually(WAIT, consumed).await).unwrap();
    assert_eq!((&line["service"], &line["trace_id"]), (&json!("order-api"), &json!(trace)));
    assert_eq!((&line["kind"], &line["subject"]), (&json!("order.paid"), &json!(ORDER)));
}
