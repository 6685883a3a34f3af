//! The consumer: brings each event of a topic to a handler, in order per key. The inbox row is in the transaction of the
//! effect, so an event that comes twice works once. What fails is tried again, and at last put aside as a dead letter,
//! in the consumer's own database, from where it can be replayed.

mod letter;
mod work;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use ::metrics::Gauge;
use async_trait::async_trait;
use serde::Deserialize;
use tokio::sync::mpsc;

pub use letter::{DeadLetter, dead_letters, replay};

use super::{Delivery, Event, Queue};
use crate::config::duration;
use crate::error::{BoxError, Result};
use crate::lifecycle::Lifecycle;
use crate::store::sql::{Db, Tx};
use crate::telemetry::metrics;
use work::{Consumer, Counts};

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
    /// Of one try.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How long it is remembered that an event had its effect; longer than it can be published again.
    #[serde(with = "duration")]
    pub keep: Duration,
}

impl Default for Conf {
    fn default() -> Conf {
        Conf {
            concurrency: 16,
            tries: 5,
            back_off: Duration::from_millis(100),
            timeout: Duration::from_secs(30),
            keep: Duration::from_secs(30 * 24 * 3600),
        }
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
    let (waiting, lag) = metrics::queue(group);
    let consumer = Arc::new(Consumer {
        topic,
        group,
        service: lifecycle.name(),
        db: db.clone(),
        conf: conf.clone(),
        handler,
        counts: Counts::of(group),
        lag,
    });
    consumer.clone().forget_old(lifecycle);
    let mut lanes = Vec::new();
    for lane in 0..conf.concurrency.max(1) {
        // Bounded: a slow lane slows its publishers, as it must.
        let (into, mut taken) = mpsc::channel::<Taken>(16);
        let (consumer, owner) = (consumer.clone(), lifecycle.clone());
        lanes.push(into);
        lifecycle.spawn(format!("consume {topic} {lane}"), async move {
            loop {
                let taken = tokio::select! {
                    taken = taken.recv() => taken,
                    () = owner.stopping() => None,
                };
                let Some(taken) = taken else { return Ok::<(), BoxError>(()) };
                tokio::select! {
                    () = consumer.work(taken) => {}
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
            if lanes[lane].send(Taken::new(delivery, &waiting)).await.is_err() {
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

/// A delivery that is counted until it is done, or dropped.
struct Taken {
    delivery: Delivery,
    _counted: Counted,
}

struct Counted(Gauge);

impl Taken {
    fn new(delivery: Delivery, waiting: &Gauge) -> Taken {
        waiting.increment(1);
        Taken { delivery, _counted: Counted(waiting.clone()) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
