//! What may go wrong between an outbox and an effect, and that nothing of it loses an event, doubles it, or turns the
//! order of a key around.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use shared::clock;
use shared::error::{Error, Result};
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::queue::consumer::{self, Handler};
use shared::queue::{Event, Queue, outbox};
use shared::store::sql::{DataSource, Db, Migrations, Tx};
use shared::telemetry::{log, metrics};
use shared::testing::eventually;
use shared::transaction;
use sqlx::Row;

use crate::world::{self, World};

const MIGRATIONS: Migrations = Migrations {
    sqlite: &[
        outbox::SQLITE,
        consumer::SQLITE,
        "CREATE TABLE effects (n INTEGER PRIMARY KEY AUTOINCREMENT, subject VARCHAR(36) NOT NULL, seq BIGINT NOT NULL)",
    ],
};
const SOON: Duration = Duration::from_secs(20);

/// Does what the subject's first letter says, after the effect: what a failure leaves behind would be seen.
#[derive(Clone, Copy)]
struct Moody;

#[async_trait]
impl Handler for Moody {
    async fn handle(&self, event: &Event, tx: &mut Tx) -> Result<()> {
        sqlx::query("INSERT INTO effects (subject, seq) VALUES (?, ?)")
            .bind(&event.subject)
            .bind(event.sequence)
            .execute(tx.on())
            .await?;
        let often = fastrand::u8(..4) == 0;
        match event.subject.as_bytes().first() {
            Some(b'p') => panic!("in the effect"),
            Some(b'h') => std::future::pending().await,
            Some(b's') if often => tokio::time::sleep(Duration::from_millis(80)).await,
            Some(b's') if fastrand::u8(..4) == 0 => return Err(Error::unavailable("not now")),
            _ => {}
        }
        Ok(())
    }
}

fn consumer_conf() -> consumer::Conf {
    consumer::Conf { back_off: Duration::from_millis(1), ..consumer::Conf::default() }
}

/// With claims that no test lives to see the end of.
fn relay_conf() -> outbox::Conf {
    outbox::Conf {
        poll: Duration::from_millis(10),
        timeout: Duration::from_secs(3600),
        linger: Duration::from_millis(20),
        ..outbox::Conf::default()
    }
}

async fn consume(queue: &Queue, world: &World, conf: &consumer::Conf) {
    consumer::start(queue, "things", "g", &world.db, conf, Moody, &world.lifecycle).await;
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

fn of(subject: &str, sequences: std::ops::RangeInclusive<i64>) -> Vec<(String, i64)> {
    sequences.map(|sequence| (subject.to_owned(), sequence)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_relays_and_consumers_that_are_late_and_fail_keep_the_order() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://faults-order?groups=g").unwrap();
    for _ in 0..2 {
        consume(&queue, &world, &consumer_conf()).await;
    }
    // Publishers give up while the effect is still being worked on, and others take over.
    let conf = outbox::Conf {
        timeout: Duration::from_millis(40),
        back_off: Duration::from_millis(20),
        ..relay_conf()
    };
    for _ in 0..3 {
        outbox::relay(&world.db, &queue, &conf, &world.lifecycle);
    }
    for subject in ["s1", "s2", "s3", "s4"] {
        tell(&world.db, subject, 1..=15).await;
    }
    all_sent(&world.db).await;
    let mut by_subject: HashMap<String, Vec<i64>> = HashMap::new();
    for (subject, sequence) in effects(&world.db).await {
        by_subject.entry(subject).or_default().push(sequence);
    }
    assert_eq!(by_subject.len(), 4);
    for (subject, seen) in by_subject {
        assert_eq!(seen, (1..=15).collect::<Vec<_>>(), "{subject}");
    }
    assert!(consumer::dead_letters(&world.db, "g").await.unwrap().is_empty());
    world.lifecycle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_waited_for_however_long() {
    log::capture();
    let World { folder, lifecycle, .. } = World::new(&MIGRATIONS).await;
    let url = format!("sqlite://{}/test.db", folder.path().display());
    let conf = DataSource { url, acquire_timeout: Duration::from_millis(30), ..DataSource::default() };
    let db = Db::open(&conf, &MIGRATIONS, &lifecycle).await.unwrap();
    let queue = Queue::open("memory://faults-away?groups=g").unwrap();
    let conf = consumer::Conf { tries: 2, ..consumer_conf() };
    consumer::start(&queue, "things", "g", &db, &conf, Moody, &lifecycle).await;
    let other = world::open(&folder, &MIGRATIONS, &lifecycle).await;
    let mut writer = other.pool().acquire().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *writer).await.unwrap();
    let event = Event::new("test", "thing.moved", "a", 1, &json!({})).unwrap();
    let id = event.id.clone();
    let (published, ()) = tokio::join!(queue.publish("things", event), async {
        // Many more tries than make a dead letter.
        eventually(SOON, async || {
            let failed = log::captured(&id).iter().filter(|line| line.contains("an event failed")).count();
            (failed > 8).then_some(())
        })
        .await;
        sqlx::query("ROLLBACK").execute(&mut *writer).await.unwrap();
    });
    published.unwrap();
    assert_eq!(effects(&other).await, of("a", 1..=1));
    assert!(consumer::dead_letters(&other, "g").await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_panics_or_hangs_is_a_dead_letter_and_the_others_go_on() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://faults-panic?groups=g").unwrap();
    // One lane for all: what is stuck would be in the way of everything.
    let conf =
        consumer::Conf { concurrency: 1, tries: 2, timeout: Duration::from_millis(200), ..consumer_conf() };
    consume(&queue, &world, &conf).await;
    outbox::relay(&world.db, &queue, &relay_conf(), &world.lifecycle);
    for subject in ["panics", "hangs", "a"] {
        tell(&world.db, subject, 1..=2).await;
    }
    all_sent(&world.db).await;
    assert_eq!(effects(&world.db).await, of("a", 1..=2), "a failed effect leaves nothing behind");
    let letters = consumer::dead_letters(&world.db, "g").await.unwrap();
    let reasons = |subject: &str, reason: &str| {
        let of_subject = letters.iter().filter(|letter| letter.event.subject == subject);
        of_subject.filter(|letter| letter.reason.contains(reason)).count()
    };
    assert_eq!(reasons("panics", "it panicked: in the effect"), 2, "{letters:?}");
    assert_eq!(reasons("hangs", "took too long"), 2, "{letters:?}");
    assert!(tokio::time::timeout(Duration::ZERO, world.lifecycle.died()).await.is_err(), "the process lives");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_holds_up_its_key_and_no_other() {
    log::capture();
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://faults-unreadable?groups=g").unwrap();
    tell(&world.db, "a", 1..=2).await;
    tell(&world.db, "b", 1..=2).await;
    let first = "FROM outbox WHERE event_key = 'a' AND seq = 1";
    let row =
        sqlx::query(&*format!("SELECT id, event {first}").leak()).fetch_one(world.db.pool()).await.unwrap();
    let (id, good): (String, String) = (row.get("id"), row.get("event"));
    let write = async |text: &str| {
        let update = sqlx::query("UPDATE outbox SET event = ?, try_at = 0 WHERE id = ?").bind(text).bind(&id);
        update.execute(world.db.pool()).await.unwrap();
    };
    write(&good[1..]).await;
    consume(&queue, &world, &consumer_conf()).await;
    outbox::relay(&world.db, &queue, &relay_conf(), &world.lifecycle);
    eventually(SOON, async || (unsent(&world.db).await == 2).then_some(())).await;
    eventually(SOON, async || {
        let lines = log::captured(&id);
        lines.iter().any(|line| line.contains("ERROR") && line.contains("cannot be read")).then_some(())
    })
    .await;
    assert_eq!(effects(&world.db).await, of("b", 1..=2));
    // Mended, it goes on in its order.
    write(&good).await;
    all_sent(&world.db).await;
    assert_eq!(effects(&world.db).await[2..], of("a", 1..=2));
}

#[tokio::test]
async fn what_a_dead_relay_had_claimed_is_sent_when_the_claim_runs_out() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://faults-claim?groups=g").unwrap();
    tell(&world.db, "a", 1..=3).await;
    let claim = sqlx::query("UPDATE outbox SET owner = 'dead', claimed_until = ? WHERE seq = 1");
    claim.bind(clock::wall_ms() + 300).execute(world.db.pool()).await.unwrap();
    consume(&queue, &world, &consumer_conf()).await;
    outbox::relay(&world.db, &queue, &relay_conf(), &world.lifecycle);
    tell(&world.db, "b", 1..=1).await;
    all_sent(&world.db).await;
    assert_eq!(effects(&world.db).await, [of("b", 1..=1), of("a", 1..=3)].concat());
}

#[tokio::test]
async fn a_stop_lets_what_is_under_way_end_and_frees_what_does_not() {
    let World { db, lifecycle: first, folder } = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://faults-stop?groups=g").unwrap();
    let mut member = queue.subscribe("things", "g").await;
    let conf = outbox::Conf { linger: Duration::from_millis(500), ..relay_conf() };
    outbox::relay(&db, &queue, &conf, &first);
    tell(&db, "a", 1..=1).await;
    tell(&db, "b", 1..=1).await;
    let (one, other) = (member.next().await.unwrap(), member.next().await.unwrap());
    let (ends, stays) = if one.event.subject == "a" { (one, other) } else { (other, one) };
    tokio::join!(first.stop(), async {
        first.stopping().await;
        ends.acknowledge();
    });
    let second = world::lifecycle();
    let db = world::open(&folder, &MIGRATIONS, &second).await;
    let left: Vec<(String, i64)> =
        sqlx::query_as("SELECT event_key, claimed_until FROM outbox WHERE sent_at = 0")
            .fetch_all(db.pool())
            .await
            .unwrap();
    assert_eq!(left, [("b".to_owned(), 0)]);
    drop(stays);
    // The next process need not wait an hour for the claim to run out.
    outbox::relay(&db, &queue, &relay_conf(), &second);
    let again = tokio::time::timeout(SOON, member.next()).await.unwrap().unwrap();
    assert_eq!(again.event.subject, "b");
    again.acknowledge();
    all_sent(&db).await;
}

#[tokio::test]
async fn members_of_a_group_share_what_comes_and_what_was_given_up_comes_to_none() {
    let queue = Queue::open("memory://faults-members?groups=g").unwrap();
    let (mut one, mut two) = (queue.subscribe("things", "g").await, queue.subscribe("things", "g").await);
    let publish = |sequence| {
        let event = Event::new("test", "thing.moved", "a", sequence, &json!({})).unwrap();
        queue.publish("things", event)
    };
    let (a, b, ()) = tokio::join!(publish(1), publish(2), async {
        let (first, second) = (one.next().await.unwrap(), two.next().await.unwrap());
        assert_eq!((first.event.sequence, second.event.sequence), (1, 2));
        first.acknowledge();
        second.acknowledge();
    });
    assert!(a.is_ok() && b.is_ok());
    drop(one);
    assert!(
        tokio::time::timeout(Duration::from_millis(10), publish(3)).await.is_err(),
        "nobody asked for it"
    );
    let (given, ()) = tokio::join!(publish(4), async {
        let delivery = two.next().await.unwrap();
        assert_eq!(delivery.event.sequence, 4);
        delivery.acknowledge();
    });
    given.unwrap();
    // A member that leaves with a delivery in its hands gives it back to the publisher, who will try again.
    let (refused, ()) = tokio::join!(publish(5), async { drop(two.next().await.unwrap()) });
    assert_eq!(refused.unwrap_err().to_string(), "the group g has not acknowledged the event");
}

#[tokio::test]
async fn a_relay_with_room_for_one_goes_on_without_being_asked() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://faults-room?groups=g").unwrap();
    consume(&queue, &world, &consumer_conf()).await;
    let conf = outbox::Conf { concurrency: 1, poll: Duration::from_secs(3600), ..relay_conf() };
    outbox::relay(&world.db, &queue, &conf, &world.lifecycle);
    for subject in ["a", "b", "c"] {
        tell(&world.db, subject, 1..=20).await;
    }
    all_sent(&world.db).await;
    assert_eq!(effects(&world.db).await.len(), 60);
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_nothing_else() {
    let world = World::new(&MIGRATIONS).await;
    let queue = Queue::open("memory://faults-old?groups=g").unwrap();
    let remember = async |consumer: &str, id: &str, at: i64| {
        let insert = sqlx::query("INSERT INTO inbox (consumer, event_id, created_at) VALUES (?, ?, ?)");
        insert.bind(consumer).bind(id).bind(at).execute(world.db.pool()).await.unwrap();
    };
    let (old, new) = ("0190163d-8694-739b-aea5-966c26f8ad91", uuid::Uuid::now_v7().to_string());
    remember("g", old, 1_718_000_000_000).await;
    remember("other", old, 1_718_000_000_000).await;
    remember("g", &new, clock::wall_ms()).await;
    // It waited long, and had its effect just now.
    let late = "0190163d-8694-739b-aea5-966c26f8ad92";
    remember("g", late, clock::wall_ms()).await;
    consume(&queue, &world, &consumer_conf()).await;
    let inbox = async || -> Vec<(String, String)> {
        let rows = "SELECT consumer, event_id FROM inbox ORDER BY consumer, event_id";
        sqlx::query_as(rows).fetch_all(world.db.pool()).await.unwrap()
    };
    let left = eventually(SOON, async || Some(inbox().await).filter(|rows| rows.len() == 3)).await;
    let left: Vec<_> = left.iter().map(|(consumer, id)| (consumer.as_str(), id.as_str())).collect();
    assert_eq!(left, [("g", late), ("g", new.as_str()), ("other", old)]);
    let conf = outbox::Conf { keep: Duration::ZERO, ..relay_conf() };
    tell(&world.db, "a", 1..=3).await;
    outbox::relay(&world.db, &queue, &conf, &world.lifecycle);
    eventually(SOON, async || {
        let rows: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM outbox").fetch_one(world.db.pool()).await.unwrap();
        (rows == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_waits_is_told_in_numbers() {
    metrics::start().unwrap();
    let World { db, folder: _folder, .. } = World::new(&MIGRATIONS).await;
    let lifecycle = Lifecycle::new("teller", &Shutdown::default());
    let queue = Queue::open("memory://faults-metrics?groups=told").unwrap();
    tell(&db, "a", 1..=3).await;
    outbox::relay(&db, &queue, &relay_conf(), &lifecycle);
    let value = |name: &str| {
        let text = metrics::render();
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.and_then(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
    };
    let is = async |name: &str, holds: fn(f64) -> bool| {
        eventually(SOON, async || value(name).filter(|value| holds(*value))).await;
    };
    is("outbox_unsent{service=\"teller\"}", |value| value == 3.0).await;
    is("outbox_lag_seconds{service=\"teller\"}", |value| value > 0.0).await;
    let conf = consumer_conf();
    consumer::start(&queue, "things", "told", &db, &conf, Moody, &lifecycle).await;
    is("outbox_unsent{service=\"teller\"}", |value| value == 0.0).await;
    is("outbox_lag_seconds{service=\"teller\"}", |value| value == 0.0).await;
    is("queue_events_total{consumer=\"told\",result=\"done\"}", |value| value == 3.0).await;
    is("queue_lag_ms_count{consumer=\"told\"}", |value| value == 3.0).await;
    is("queue_waiting{consumer=\"told\"}", |value| value == 0.0).await;
}
