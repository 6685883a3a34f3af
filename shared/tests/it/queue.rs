//! Outbox, queue and consumer together: nothing lost, nothing twice, in order per key.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use shared::error::{Error, Result};
use shared::pipeline::ambient::{self, Ambient};
use shared::queue::consumer::{self, Handler};
use shared::queue::{Event, Heard, Queue, outbox, sent};
use shared::store::sql::{Db, Migrations, Tx};
use shared::telemetry::trace::Ids;
use shared::testing::eventually;
use shared::transaction;

use crate::world::{self, World};

const MIGRATIONS: Migrations = Migrations {
    sqlite: &[
        outbox::SQLITE,
        consumer::SQLITE,
        "CREATE TABLE effects (n INTEGER PRIMARY KEY AUTOINCREMENT, subject VARCHAR(36) NOT NULL, seq BIGINT NOT NULL,
             trace VARCHAR(32) NOT NULL)",
    ],
};
const SOON: Duration = Duration::from_secs(20);

/// Writes down what it got, after failing `failures` times.
#[derive(Clone, Default)]
struct Recorder {
    failures: Arc<AtomicU32>,
}

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, event: &Event, tx: &mut Tx) -> Result<()> {
        let ids = ambient::current().unwrap_or_default().ids;
        sqlx::query("INSERT INTO effects (subject, seq, trace) VALUES (?, ?, ?)")
            .bind(&event.subject)
            .bind(event.sequence)
            .bind(ids.to_string())
            .execute(tx.on())
            .await?;
        let left = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        // After the effect, so that what a failure leaves behind would be seen.
        if left.is_ok() { Err(Error::internal("not today")) } else { Ok(()) }
    }
}

async fn tell(db: &Db, subject: &str, sequences: std::ops::RangeInclusive<i64>) {
    for sequence in sequences {
        let event = Event::new("test", "thing.moved", subject, sequence, &json!({})).unwrap();
        let told: Result<()> = transaction!(db, |tx| { outbox::add(tx, "things", &event).await });
        told.unwrap();
    }
}

async fn effects(db: &Db) -> Vec<(String, i64)> {
    sqlx::query_as("SELECT subject, seq FROM effects ORDER BY n").fetch_all(db.pool()).await.unwrap()
}

async fn unsent(db: &Db) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM outbox WHERE sent_at = 0").fetch_one(db.pool()).await.unwrap()
}

async fn all_sent(db: &Db) {
    eventually(SOON, async || (unsent(db).await == 0).then_some(())).await;
}

fn quick() -> consumer::Conf {
    consumer::Conf { back_off: Duration::from_millis(1), ..consumer::Conf::default() }
}

fn relay_conf() -> outbox::Conf {
    outbox::Conf {
        poll: Duration::from_millis(10),
        timeout: Duration::from_millis(500),
        ..outbox::Conf::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_relays_keep_the_order_of_each_key() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://order?groups=g").unwrap();
    consumer::start(&queue, "things", "g", &world.db, &quick(), Recorder::default(), &world.lifecycle).await;
    for _ in 0..3 {
        outbox::relay(&world.db, &queue, &relay_conf(), &world.lifecycle);
    }
    for subject in ["a", "b", "c"] {
        tell(&world.db, subject, 1..=20).await;
    }
    all_sent(&world.db).await;
    let mut by_subject: HashMap<String, Vec<i64>> = HashMap::new();
    for (subject, seq) in effects(&world.db).await {
        by_subject.entry(subject).or_default().push(seq);
    }
    assert_eq!(by_subject.len(), 3);
    for (subject, seen) in by_subject {
        assert_eq!(seen, (1..=20).collect::<Vec<_>>(), "{subject}");
    }
    world.lifecycle.stop().await;
}

#[tokio::test]
async fn whoever_waits_for_the_effects_of_a_key_finds_them() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://followed?groups=g").unwrap();
    let is_sent = async |key: &str, patience| sent::until(&world.db, "things", key, patience).await.unwrap();
    tell(&world.db, "a", 1..=3).await;
    assert!(is_sent("b", SOON).await, "what tells nothing is waited for by nobody");
    assert!(!is_sent("a", Duration::from_millis(1)).await, "there is no relay");
    outbox::relay(&world.db, &queue, &relay_conf(), &world.lifecycle);
    let (conf, recorder) = (quick(), Recorder::default());
    let (was_sent, ()) = tokio::join!(
        is_sent("a", SOON),
        consumer::start(&queue, "things", "g", &world.db, &conf, recorder, &world.lifecycle),
    );
    assert!(was_sent);
    assert_eq!(effects(&world.db).await.len(), 3);
}

#[tokio::test]
async fn an_event_waits_in_the_outbox_for_its_group() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://absent?groups=late").unwrap();
    outbox::relay(&world.db, &queue, &relay_conf(), &world.lifecycle);
    tell(&world.db, "a", 1..=1).await;
    eventually(SOON, async || {
        let tried: i64 =
            sqlx::query_scalar("SELECT attempts FROM outbox").fetch_one(world.db.pool()).await.unwrap();
        (tried > 0).then_some(())
    })
    .await;
    assert_eq!(unsent(&world.db).await, 1);
    consumer::start(&queue, "things", "late", &world.db, &quick(), Recorder::default(), &world.lifecycle)
        .await;
    all_sent(&world.db).await;
    assert_eq!(effects(&world.db).await, [("a".to_owned(), 1)]);
}

#[tokio::test]
async fn an_effect_whose_acknowledgement_was_lost_happens_once() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://lost?groups=g").unwrap();
    consumer::start(&queue, "things", "g", &world.db, &quick(), Recorder::default(), &world.lifecycle).await;
    let event = Event::new("test", "thing.moved", "a", 1, &json!({})).unwrap();
    queue.publish("things", event.clone()).await.unwrap();
    // The relay died before it could mark the row, so another sends it again.
    queue.publish("things", event).await.unwrap();
    assert_eq!(effects(&world.db).await.len(), 1);
}

#[tokio::test]
async fn what_was_under_way_in_a_crash_is_sent_after_it() {
    let World { db, lifecycle, folder } = World::new(&MIGRATIONS).await;
    let first = Queue::open("memory://crash-before?groups=g").unwrap();
    let mut stuck = first.subscribe("things", "g").await;
    outbox::relay(&db, &first, &relay_conf(), &lifecycle);
    tell(&db, "a", 1..=2).await;
    let delivery = stuck.next().await.unwrap();
    assert_eq!(delivery.event.sequence, 1);
    // Claimed, delivered, not acknowledged: here the process ends.
    lifecycle.stop().await;
    drop((stuck, db));
    let again = world::lifecycle();
    let db = world::open(&folder, &MIGRATIONS, &again).await;
    let second = Queue::open("memory://crash-after?groups=g").unwrap();
    consumer::start(&second, "things", "g", &db, &quick(), Recorder::default(), &again).await;
    outbox::relay(&db, &second, &relay_conf(), &again);
    all_sent(&db).await;
    assert_eq!(effects(&db).await, [("a".to_owned(), 1), ("a".to_owned(), 2)]);
}

#[tokio::test]
async fn a_failing_effect_is_tried_again_and_leaves_nothing_between() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://retry?groups=g").unwrap();
    let handler = Recorder { failures: Arc::new(AtomicU32::new(3)) };
    consumer::start(&queue, "things", "g", &world.db, &quick(), handler, &world.lifecycle).await;
    let event = Event::new("test", "thing.moved", "a", 1, &json!({})).unwrap();
    queue.publish("things", event).await.unwrap();
    assert_eq!(effects(&world.db).await.len(), 1);
    assert!(consumer::dead_letters(&world.db, "g").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_poisonous_event_is_put_aside_and_can_be_replayed() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://poison?groups=g").unwrap();
    let handler = Recorder { failures: Arc::new(AtomicU32::new(5)) };
    consumer::start(&queue, "things", "g", &world.db, &quick(), handler, &world.lifecycle).await;
    for sequence in [1, 2] {
        let event = Event::new("test", "thing.moved", "a", sequence, &json!({})).unwrap();
        queue.publish("things", event).await.unwrap();
    }
    assert_eq!(effects(&world.db).await, [("a".to_owned(), 2)]);
    let letters = consumer::dead_letters(&world.db, "g").await.unwrap();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert!(letter.reason.contains("not today") && letter.event.sequence == 1);
    let again = Recorder::default();
    consumer::replay(&world.db, "g", letter, &again).await.unwrap();
    assert!(consumer::dead_letters(&world.db, "g").await.unwrap().is_empty());
    assert_eq!(consumer::replay(&world.db, "g", letter, &again).await.unwrap_err().reason(), "not_found");
    assert_eq!(effects(&world.db).await.len(), 2);
}

#[tokio::test]
async fn an_event_goes_on_in_the_trace_that_it_began_in() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://trace?groups=g").unwrap();
    consumer::start(&queue, "things", "g", &world.db, &quick(), Recorder::default(), &world.lifecycle).await;
    outbox::relay(&world.db, &queue, &relay_conf(), &world.lifecycle);
    let ids = Ids::root();
    ambient::scope(Ambient { ids, ..Ambient::default() }, tell(&world.db, "a", 1..=1)).await;
    all_sent(&world.db).await;
    let trace: String =
        sqlx::query_scalar("SELECT trace FROM effects").fetch_one(world.db.pool()).await.unwrap();
    assert_eq!(trace, ids.to_string());
}

#[tokio::test]
async fn a_listener_hears_what_comes_and_that_it_missed_some() {
    let queue = Queue::open("memory://listen").unwrap();
    let mut listener = queue.listen("things").await;
    for sequence in 1..=2000 {
        let event = Event::new("test", "thing.moved", "a", sequence, &json!({})).unwrap();
        queue.publish("things", event).await.unwrap();
    }
    assert!(matches!(listener.next().await, Heard::Missed));
    let Heard::Event(event) = listener.next().await else { panic!() };
    assert!(event.sequence > 1);
}

#[test]
fn an_url_that_is_no_queue_is_refused() {
    assert!(Queue::open("carrier-pigeon://x").is_err());
    assert!(Queue::open("memory://x?group=a").is_err());
}
