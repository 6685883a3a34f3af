//! The consumer: brings each event of a topic to a handler, in order per key. The inbox row is in the transaction of the
//! effect, so an event that comes twice works once. What fails is tried again, and at last put aside as a dead letter,
//! in the consumer's own database, from where it can be replayed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use sqlx::Row;
use tokio::sync::mpsc;

use super::{Delivery, Event, Queue};
use crate::config::duration;
use crate::error::{BoxError, Code, Error, Result};
use crate::lifecycle::Lifecycle;
use crate::pipeline::ambient::{self, Ambient};
use crate::store::sql::{Db, Tx};
use crate::telemetry::metrics;
use crate::telemetry::trace::Ids;
use crate::{clock, transaction};

/// A step of the schema of each service that consumes events.
pub const SQLITE: &str = "
CREATE TABLE inbox (
    consumer   VARCHAR(100) NOT NULL,
    event_id   VARCHAR(36)  NOT NULL,
    created_at BIGINT       NOT NULL,
    PRIMARY KEY (consumer, event_id)
);
CREATE TABLE dead_letters (
    consumer   VARCHAR(100) NOT NULL,
    event_id   VARCHAR(36)  NOT NULL,
    topic      VARCHAR(100) NOT NULL,
    event      TEXT         NOT NULL,
    reason     TEXT         NOT NULL,
    created_at BIGINT       NOT NULL,
    PRIMARY KEY (consumer, event_id)
);
";

/// `Consumer:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Conf {
    /// How many keys are worked on at once.
    pub concurrency: usize,
    /// After so many a fault of the event itself makes it a dead letter. A database that is away is waited for.
    pub tries: u32,
    /// Between the first two tries; twice as long each time.
    #[serde(with = "duration")]
    pub back_off: Duration,
}

impl Default for Conf {
    fn default() -> Conf {
        Conf { concurrency: 16, tries: 5, back_off: Duration::from_millis(100) }
    }
}

/// What a service does with an event: its effect, and nothing but SQL.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    async fn handle(&self, event: &Event, tx: &mut Tx) -> Result<()>;
}

/// Starts the consumer `group` of `topic`, for as long as the lifecycle lives.
pub async fn start(
    queue: &Queue,
    topic: &'static str,
    group: &'static str,
    db: &Db,
    conf: &Conf,
    handler: impl Handler,
    lifecycle: &Lifecycle,
) {
    let mut events = queue.subscribe(topic, group).await;
    let consumer = Arc::new(Consumer {
        topic,
        group,
        service: lifecycle.name(),
        db: db.clone(),
        conf: conf.clone(),
        handler,
    });
    let mut lanes = Vec::new();
    for lane in 0..conf.concurrency.max(1) {
        // Bounded: a slow lane slows its publishers, as it must.
        let (into, mut waiting) = mpsc::channel::<Delivery>(16);
        let (consumer, owner) = (consumer.clone(), lifecycle.clone());
        lanes.push(into);
        lifecycle.spawn(format!("consume {topic} {lane}"), async move {
            loop {
                let delivery = tokio::select! {
                    delivery = waiting.recv() => delivery,
                    () = owner.stopping() => None,
                };
                let Some(delivery) = delivery else { return Ok::<(), BoxError>(()) };
                tokio::select! {
                    () = consumer.work(delivery) => {}
                    () = owner.stopping() => return Ok(()),
                }
            }
        });
    }
    let owner = lifecycle.clone();
    lifecycle.spawn(format!("receive {topic}"), async move {
        loop {
            let delivery = tokio::select! {
                delivery = events.next() => delivery.ok_or("the queue has ended")?,
                () = owner.stopping() => return Ok::<(), BoxError>(()),
            };
            let lane = lane(&delivery.event.subject, lanes.len());
            if lanes[lane].send(delivery).await.is_err() {
                // Its worker has ended: so does the process.
                owner.stopping().await;
                return Ok(());
            }
        }
    });
}

/// One key, one lane.
fn lane(key: &str, lanes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    (hasher.finish() % lanes as u64) as usize
}

struct Consumer<H> {
    topic: &'static str,
    group: &'static str,
    service: &'static str,
    db: Db,
    conf: Conf,
    handler: H,
}

impl<H: Handler> Consumer<H> {
    /// Until the event has had its effect, or is a dead letter.
    async fn work(&self, delivery: Delivery) {
        let event = delivery.event.clone();
        let parent = event.traceparent.as_deref().unwrap_or_default();
        let ids = Ids::continued(parent.as_bytes()).unwrap_or_else(Ids::root);
        let ambient = Ambient { ids, deadline: None, service: self.service };
        ambient::scope(ambient, self.try_until_done(&event)).await;
        delivery.acknowledge();
    }

    async fn try_until_done(&self, event: &Event) {
        let mut tries = 1;
        loop {
            let result = match self.once(event).await {
                Ok(true) => "done",
                Ok(false) => "duplicate",
                Err(error) if tries >= self.conf.tries && error.code() != Code::Unavailable => {
                    match self.bury(event, &error).await {
                        Ok(()) => "dead",
                        Err(_) => "retried",
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        event = event.id,
                        kind = event.kind,
                        tries,
                        error = error.chain(),
                        "an event failed"
                    );
                    "retried"
                }
            };
            metrics::consumed(self.group, result).increment(1);
            if result != "retried" {
                tracing::info!(
                    event = event.id,
                    kind = event.kind,
                    subject = event.subject,
                    result,
                    "consumed"
                );
                return;
            }
            let wait = self.conf.back_off * 2_u32.saturating_pow(tries.min(8) - 1);
            tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64())).await;
            tries += 1;
        }
    }

    /// `false` where the event had its effect before.
    async fn once(&self, event: &Event) -> Result<bool> {
        transaction!(self.db, |tx| {
            let known = sqlx::query("SELECT 1 FROM inbox WHERE consumer = ? AND event_id = ?");
            if known.bind(self.group).bind(&event.id).fetch_optional(tx.named("inbox.find")).await?.is_some()
            {
                return Ok(false);
            }
            self.remember(event, tx).await?;
            self.handler.handle(event, tx).await?;
            Ok(true)
        })
    }

    async fn remember(&self, event: &Event, tx: &mut Tx) -> Result<()> {
        sqlx::query("INSERT INTO inbox (consumer, event_id, created_at) VALUES (?, ?, ?)")
            .bind(self.group)
            .bind(&event.id)
            .bind(clock::wall_ms())
            .execute(tx.named("inbox.add"))
            .await?;
        Ok(())
    }

    async fn bury(&self, event: &Event, reason: &Error) -> Result<()> {
        tracing::error!(
            event = event.id,
            kind = event.kind,
            error = reason.chain(),
            "an event is a dead letter"
        );
        let text = serde_json::to_string(event).map_err(Error::internal)?;
        let reason = reason.chain();
        transaction!(self.db, |tx| {
            self.remember(event, tx).await?;
            sqlx::query(
                "INSERT INTO dead_letters (consumer, event_id, topic, event, reason, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(self.group)
            .bind(&event.id)
            .bind(self.topic)
            .bind(&text)
            .bind(&reason)
            .bind(clock::wall_ms())
            .execute(tx.named("dead_letters.add"))
            .await?;
            Ok(())
        })
    }
}

/// An event that a consumer gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub event: Event,
    pub reason: String,
}

pub async fn dead_letters(db: &Db, group: &str) -> Result<Vec<DeadLetter>> {
    let query = "SELECT event, reason FROM dead_letters WHERE consumer = ? ORDER BY event_id";
    let rows = sqlx::query(query).bind(group).fetch_all(db.named("dead_letters.list")).await?;
    let read = |row: sqlx::any::AnyRow| {
        let event: String = row.try_get("event")?;
        let event = serde_json::from_str(&event).map_err(Error::internal)?;
        Ok(DeadLetter { event, reason: row.try_get("reason")? })
    };
    rows.into_iter().map(read).collect()
}

/// Gives a dead letter's effect another chance: in one transaction it happens and the letter goes, or nothing changes.
pub async fn replay(db: &Db, group: &str, letter: &DeadLetter, handler: &impl Handler) -> Result<()> {
    transaction!(db, |tx| {
        let delete = sqlx::query("DELETE FROM dead_letters WHERE consumer = ? AND event_id = ?");
        let gone = delete.bind(group).bind(&letter.event.id).execute(tx.named("dead_letters.delete")).await?;
        if gone.rows_affected() == 0 {
            return Err(Error::not_found("no such dead letter"));
        }
        handler.handle(&letter.event, tx).await
    })
}
