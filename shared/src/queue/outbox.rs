//! The outbox: an event is a row in the transaction of what it tells, and a relay brings it to the queue. Order is kept
//! per key; any number of relays may work, since each claims a row for a while. A row counts as sent only after the
//! queue's acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use ::metrics::Gauge;
use serde::Deserialize;
use sqlx::Row;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Event, Queue};
use crate::config::duration;
use crate::error::{BoxError, Error, Result, chain};
use crate::lifecycle::Lifecycle;
use crate::store::sql::{Db, Tx};
use crate::telemetry::metrics;
use crate::{clock, crash, transaction};

/// A step of the schema of each service that tells events.
pub const SQLITE: &str = "
CREATE TABLE outbox (
    id            VARCHAR(36)  NOT NULL PRIMARY KEY,
    topic         VARCHAR(100) NOT NULL,
    event_key     VARCHAR(100) NOT NULL,
    seq           BIGINT       NOT NULL,
    event         TEXT         NOT NULL,
    created_at    BIGINT       NOT NULL,
    attempts      INT          NOT NULL,
    try_at        BIGINT       NOT NULL,
    owner         VARCHAR(36)  NOT NULL,
    claimed_until BIGINT       NOT NULL,
    sent_at       BIGINT       NOT NULL,
    UNIQUE (topic, event_key, seq)
);
CREATE INDEX outbox_waiting ON outbox (sent_at, try_at);
";

/// `Relay:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Conf {
    /// How long a look for what another instance left behind is put off; an own commit is seen at once.
    #[serde(with = "duration")]
    pub poll: Duration,
    /// How long a publish may take; another relay may take the row over after twice this.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How many keys are under way at once.
    pub concurrency: usize,
    /// The longest wait between two tries of one row.
    #[serde(with = "duration")]
    pub back_off: Duration,
    /// Sent rows are kept this long.
    #[serde(with = "duration")]
    pub keep: Duration,
    /// How long the stop waits for what is under way.
    #[serde(with = "duration")]
    pub linger: Duration,
}

impl Default for Conf {
    fn default() -> Conf {
        Conf {
            poll: Duration::from_millis(500),
            timeout: Duration::from_secs(10),
            concurrency: 32,
            back_off: Duration::from_secs(30),
            keep: Duration::from_secs(7 * 24 * 3600),
            linger: Duration::from_secs(1),
        }
    }
}

/// Writes an event down, with the change that it tells of. Its subject is the key, its sequence the order.
pub async fn add(tx: &mut Tx, topic: &str, event: &Event) -> Result<()> {
    let text = serde_json::to_string(event).map_err(Error::internal)?;
    let now = clock::wall_ms();
    sqlx::query(
        "INSERT INTO outbox
             (id, topic, event_key, seq, event, created_at, attempts, try_at, owner, claimed_until, sent_at)
         VALUES (?, ?, ?, ?, ?, ?, 0, ?, '', 0, 0)",
    )
    .bind(&event.id)
    .bind(topic)
    .bind(&event.subject)
    .bind(event.sequence)
    .bind(text)
    .bind(now)
    .bind(now)
    .execute(tx.named("outbox.add"))
    .await?;
    tx.stirs_outbox();
    Ok(())
}

/// How often the backlog is counted and old rows are deleted.
const COUNT: Duration = Duration::from_secs(1);
/// So many at a time, so that writers do not wait for long.
const FORGET: i64 = 1000;

/// Starts a relay, for as long as the lifecycle lives.
pub fn relay(db: &Db, queue: &Queue, conf: &Conf, lifecycle: &Lifecycle) {
    let (unsent, lag) = metrics::outbox(lifecycle.name());
    let relay = Arc::new(Relay {
        db: db.clone(),
        queue: queue.clone(),
        conf: Conf { concurrency: conf.concurrency.max(1), ..conf.clone() },
        name: Uuid::now_v7().to_string(),
        room: Arc::new(Semaphore::new(conf.concurrency.max(1))),
        cut_off: CancellationToken::new(),
        unsent,
        lag,
    });
    let owner = lifecycle.clone();
    lifecycle.spawn("relay", async move {
        let mut counted = None;
        loop {
            match relay.claim().await {
                Ok(rows) => rows.into_iter().for_each(|row| relay.clone().begin(row, &owner)),
                Err(error) => tracing::warn!(error = error.chain(), "the outbox cannot be read"),
            }
            if counted.is_none_or(|at: Instant| at.elapsed() >= COUNT) {
                counted = Some(Instant::now());
                relay.count().await;
                relay.forget_old().await;
            }
            tokio::select! {
                // The next event of the same key may go now, since marking the last one was a commit.
                () = relay.db.outbox_stirred() => {}
                () = tokio::time::sleep(relay.conf.poll) => {}
                () = owner.stopping() => break,
            }
        }
        relay.leave().await;
        Ok::<(), BoxError>(())
    });
}

struct Relay {
    db: Db,
    queue: Queue,
    conf: Conf,
    name: String,
    room: Arc<Semaphore>,
    /// What is under way when the stop has waited long enough.
    cut_off: CancellationToken,
    unsent: Gauge,
    lag: Gauge,
}

#[derive(Clone)]
struct Waiting {
    id: String,
    topic: String,
    event: String,
    attempts: i64,
}

/// Why an event is not sent.
enum Unsent {
    /// It is no event, and will not become one by itself.
    Unreadable(serde_json::Error),
    Failed(BoxError),
}

impl Relay {
    /// A task of its own: it needs the writer's turn that the relay's next claim may be waiting for.
    fn begin(self: Arc<Relay>, row: Waiting, lifecycle: &Lifecycle) {
        // As many rows were claimed as there is room.
        let Ok(permit) = self.room.clone().try_acquire_owned() else { return };
        lifecycle.spawn_job(async move {
            self.cut_off.run_until_cancelled(self.send(row)).await;
            drop(permit);
            // There is room again.
            self.db.stir_outbox();
        });
    }

    /// Of each key the first that waits, if nobody works on it.
    async fn claim(&self) -> Result<Vec<Waiting>> {
        let most = self.room.available_permits();
        if most == 0 {
            return Ok(Vec::new());
        }
        let now = clock::wall_ms();
        // Reading needs no writer's turn.
        let waiting = self.waiting(now, most).await?;
        if waiting.is_empty() {
            return Ok(waiting);
        }
        let until = now + 2 * self.conf.timeout.as_millis() as i64;
        transaction!(self.db, |tx| {
            let mut claimed = Vec::with_capacity(waiting.len());
            for row in &waiting {
                let update = sqlx::query(
                    "UPDATE outbox SET owner = ?, claimed_until = ?
                     WHERE id = ? AND sent_at = 0 AND try_at <= ? AND claimed_until < ?",
                );
                let update = update.bind(&self.name).bind(until).bind(&row.id).bind(now).bind(now);
                if update.execute(tx.named("outbox.claim")).await?.rows_affected() == 1 {
                    claimed.push(row.clone());
                }
            }
            Ok(claimed)
        })
    }

    async fn waiting(&self, now: i64, most: usize) -> Result<Vec<Waiting>> {
        let rows = sqlx::query(
            "SELECT id, topic, event, attempts FROM outbox o
             WHERE sent_at = 0 AND try_at <= ? AND claimed_until < ? AND NOT EXISTS (
                 SELECT 1 FROM outbox e
                 WHERE e.topic = o.topic AND e.event_key = o.event_key AND e.sent_at = 0 AND e.seq < o.seq)
             ORDER BY try_at LIMIT ?",
        )
        .bind(now)
        .bind(now)
        .bind(most as i64)
        .fetch_all(self.db.named("outbox.waiting"))
        .await?;
        let read = |row: sqlx::any::AnyRow| {
            Ok(Waiting {
                id: row.try_get("id")?,
                topic: row.try_get("topic")?,
                event: row.try_get("event")?,
                attempts: row.try_get("attempts")?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    async fn send(&self, row: Waiting) {
        crash::point("between_outbox_and_consumer");
        let written = match self.publish(&row).await {
            Ok(()) => {
                crash::point("before_sent_is_written");
                self.mark_sent(&row).await
            }
            Err(Unsent::Failed(error)) => {
                let error = chain(&*error);
                tracing::warn!(event = row.id, error, attempts = row.attempts, "an event is not sent yet");
                self.put_off(&row, Duration::from_millis(100)).await
            }
            Err(Unsent::Unreadable(error)) => {
                // Passed over, it would be lost, and what follows it would come out of order.
                tracing::error!(event = row.id, %error, "an event cannot be read: those of its key wait for it");
                self.put_off(&row, self.conf.back_off).await
            }
        };
        if let Err(error) = written {
            // Its claim runs out; then it is sent once more, and the inbox takes it once.
            tracing::warn!(event = row.id, error = error.chain(), "the outbox cannot be written");
        }
    }

    async fn publish(&self, row: &Waiting) -> Result<(), Unsent> {
        let event: Event = serde_json::from_str(&row.event).map_err(Unsent::Unreadable)?;
        let publish = self.queue.publish(&row.topic, event);
        match tokio::time::timeout(self.conf.timeout, publish).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Unsent::Failed(error.into())),
            Err(late) => Err(Unsent::Failed(late.into())),
        }
    }

    async fn mark_sent(&self, row: &Waiting) -> Result<()> {
        let marked: Result<()> = transaction!(self.db, |tx| {
            sqlx::query("UPDATE outbox SET sent_at = ? WHERE id = ? AND sent_at = 0")
                .bind(clock::wall_ms())
                .bind(&row.id)
                .execute(tx.named("outbox.sent"))
                .await?;
            Ok(())
        });
        self.db.outbox_sent().notify_waiters();
        marked
    }

    /// `first` is the wait after the first try, which doubles.
    async fn put_off(&self, row: &Waiting, first: Duration) -> Result<()> {
        let wait = first.saturating_mul(2_u32.saturating_pow(row.attempts.clamp(0, 16) as u32));
        let try_at = clock::wall_ms() + wait.min(self.conf.back_off).as_millis() as i64;
        transaction!(self.db, |tx| {
            sqlx::query("UPDATE outbox SET attempts = attempts + 1, try_at = ?, claimed_until = 0 WHERE id = ? AND owner = ?")
                .bind(try_at)
                .bind(&row.id)
                .bind(&self.name)
                .execute(tx.named("outbox.put_off"))
                .await?;
            Ok(())
        })
    }

    /// Lets what is under way end, and frees what does not: another relay, or the next process, need not wait for the
    /// claims to run out.
    async fn leave(&self) {
        let all = self.conf.concurrency as u32;
        if tokio::time::timeout(self.conf.linger, self.room.acquire_many(all)).await.is_ok() {
            return;
        }
        self.cut_off.cancel();
        // Those that were cut off give their places back at once.
        let _all = self.room.acquire_many(all).await;
        let freed: Result<()> = transaction!(self.db, |tx| {
            sqlx::query("UPDATE outbox SET claimed_until = 0 WHERE owner = ? AND sent_at = 0")
                .bind(&self.name)
                .execute(tx.named("outbox.free"))
                .await?;
            Ok(())
        });
        if let Err(error) = freed {
            tracing::warn!(error = error.chain(), "what was not sent waits for its claims to run out");
        }
    }

    async fn count(&self) {
        let query = "SELECT COUNT(*) AS unsent, MIN(created_at) AS oldest FROM outbox WHERE sent_at = 0";
        let counted = async {
            let row = sqlx::query(query).fetch_one(self.db.named("outbox.count")).await?;
            Ok::<(i64, Option<i64>), sqlx::Error>((row.try_get("unsent")?, row.try_get("oldest")?))
        };
        // A database that is away was told of by the claim.
        if let Ok((unsent, oldest)) = counted.await {
            let now = clock::wall_ms();
            self.unsent.set(unsent as f64);
            self.lag.set((now - oldest.unwrap_or(now)).max(0) as f64 / 1e3);
        }
    }

    async fn forget_old(&self) {
        if let Err(error) = self.forget_before(clock::wall_ms() - self.conf.keep.as_millis() as i64).await {
            tracing::warn!(error = error.chain(), "sent events stay for now");
        }
    }

    async fn forget_before(&self, before: i64) -> Result<()> {
        let oldest = "SELECT sent_at FROM outbox WHERE sent_at > 0 AND sent_at < ? ORDER BY sent_at LIMIT ?";
        let oldest = sqlx::query_scalar(oldest).bind(before).bind(FORGET);
        let oldest: Vec<i64> = oldest.fetch_all(self.db.named("outbox.old")).await?;
        let Some(last) = oldest.last() else { return Ok(()) };
        transaction!(self.db, |tx| {
            sqlx::query("DELETE FROM outbox WHERE sent_at > 0 AND sent_at <= ?")
                .bind(last)
                .execute(tx.named("outbox.forget"))
                .await?;
            Ok(())
        })
    }
}
