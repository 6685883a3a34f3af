//! The outbox: an event is a row in the transaction of what it tells, and a relay brings it to the queue. Order is kept
//! per key; any number of relays may work, since each claims a row for a while. A row counts as sent only after the
//! queue's acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use sqlx::Row;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{Event, Queue};
use crate::config::duration;
use crate::error::{BoxError, Error, Result};
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
}

impl Default for Conf {
    fn default() -> Conf {
        Conf {
            poll: Duration::from_millis(500),
            timeout: Duration::from_secs(10),
            concurrency: 32,
            back_off: Duration::from_secs(30),
            keep: Duration::from_secs(7 * 24 * 3600),
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

/// Starts a relay, for as long as the lifecycle lives.
pub fn relay(db: &Db, queue: &Queue, conf: &Conf, lifecycle: &Lifecycle) {
    let relay = Arc::new(Relay {
        db: db.clone(),
        queue: queue.clone(),
        conf: Conf { concurrency: conf.concurrency.max(1), ..conf.clone() },
        name: Uuid::now_v7().to_string(),
    });
    let unsent = metrics::outbox_unsent(lifecycle.name());
    let owner = lifecycle.clone();
    let room = Arc::new(Semaphore::new(relay.conf.concurrency));
    lifecycle.spawn("relay", async move {
        loop {
            match relay.claim(room.available_permits()).await {
                Ok(rows) => rows.into_iter().for_each(|row| relay.clone().begin(row, &room, &owner)),
                Err(error) => tracing::warn!(error = error.chain(), "the outbox cannot be read"),
            }
            unsent.set((relay.conf.concurrency - room.available_permits()) as f64);
            tokio::select! {
                // The next event of the same key may go now, since marking the last one was a commit.
                () = relay.db.outbox_stirred() => {}
                () = tokio::time::sleep(relay.conf.poll) => relay.forget_old().await,
                () = owner.stopping() => return Ok::<(), BoxError>(()),
            }
        }
    });
}

struct Relay {
    db: Db,
    queue: Queue,
    conf: Conf,
    name: String,
}

struct Waiting {
    id: String,
    topic: String,
    event: String,
    attempts: i64,
}

impl Relay {
    /// A task of its own: it needs the writer's turn that the relay's next claim may be waiting for.
    fn begin(self: Arc<Relay>, row: Waiting, room: &Arc<Semaphore>, lifecycle: &Lifecycle) {
        // As many rows were claimed as there is room.
        let Ok(permit) = room.clone().try_acquire_owned() else { return };
        let owner = lifecycle.clone();
        lifecycle.spawn_job(async move {
            tokio::select! {
                () = self.send(row) => {}
                () = owner.stopping() => {}
            }
            drop(permit);
        });
    }

    /// Of each key the first that waits, if nobody works on it.
    async fn claim(&self, most: usize) -> Result<Vec<Waiting>> {
        let now = clock::wall_ms();
        if most == 0 || !self.is_any_waiting(now).await? {
            return Ok(Vec::new());
        }
        let until = now + 2 * self.conf.timeout.as_millis() as i64;
        transaction!(self.db, |tx| {
            let rows = sqlx::query(
                "SELECT id, topic, event, attempts FROM outbox o
                 WHERE sent_at = 0 AND try_at <= ? AND claimed_until < ? AND NOT EXISTS (
                     SELECT 1 FROM outbox e
                     WHERE e.topic = o.topic AND e.event_key = o.event_key AND e.sent_at = 0 AND e.seq < o.seq)
                 ORDER BY created_at LIMIT ?",
            )
            .bind(now)
            .bind(now)
            .bind(most as i64)
            .fetch_all(tx.named("outbox.waiting"))
            .await?;
            let mut claimed = Vec::with_capacity(rows.len());
            for row in rows {
                let waiting = Waiting {
                    id: row.try_get("id")?,
                    topic: row.try_get("topic")?,
                    event: row.try_get("event")?,
                    attempts: row.try_get("attempts")?,
                };
                let update = "UPDATE outbox SET owner = ?, claimed_until = ? WHERE id = ? AND sent_at = 0 AND claimed_until < ?";
                let update = sqlx::query(update).bind(&self.name).bind(until).bind(&waiting.id).bind(now);
                if update.execute(tx.named("outbox.claim")).await?.rows_affected() == 1 {
                    claimed.push(waiting);
                }
            }
            Ok(claimed)
        })
    }

    /// Reading needs no writer's turn.
    async fn is_any_waiting(&self, now: i64) -> Result<bool> {
        let query = "SELECT 1 FROM outbox WHERE sent_at = 0 AND try_at <= ? AND claimed_until < ? LIMIT 1";
        Ok(sqlx::query(query)
            .bind(now)
            .bind(now)
            .fetch_optional(self.db.named("outbox.any_waiting"))
            .await?
            .is_some())
    }

    async fn send(&self, row: Waiting) {
        crash::point("between_outbox_and_consumer");
        let sent = match self.publish(&row).await {
            Ok(()) => self.mark_sent(&row).await,
            Err(error) => {
                tracing::warn!(event = row.id, error = %error, attempts = row.attempts, "an event is not sent yet");
                self.put_off(&row).await
            }
        };
        if let Err(error) = sent {
            // Its claim runs out; then it is sent once more, and the inbox takes it once.
            tracing::warn!(event = row.id, error = error.chain(), "the outbox cannot be written");
        }
    }

    async fn publish(&self, row: &Waiting) -> Result<(), BoxError> {
        let event: Event = serde_json::from_str(&row.event)?;
        tokio::time::timeout(self.conf.timeout, self.queue.publish(&row.topic, event)).await??;
        Ok(())
    }

    async fn mark_sent(&self, row: &Waiting) -> Result<()> {
        transaction!(self.db, |tx| {
            sqlx::query("UPDATE outbox SET sent_at = ? WHERE id = ? AND sent_at = 0")
                .bind(clock::wall_ms())
                .bind(&row.id)
                .execute(tx.named("outbox.sent"))
                .await?;
            tx.stirs_outbox();
            Ok(())
        })
    }

    async fn put_off(&self, row: &Waiting) -> Result<()> {
        let wait = Duration::from_millis(100) * 2_u32.saturating_pow(row.attempts.clamp(0, 16) as u32);
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

    async fn forget_old(&self) {
        let before = clock::wall_ms() - self.conf.keep.as_millis() as i64;
        let old = "SELECT 1 FROM outbox WHERE sent_at > 0 AND sent_at < ? LIMIT 1";
        let any = sqlx::query(old).bind(before).fetch_optional(self.db.named("outbox.any_old")).await;
        if matches!(any, Ok(Some(_))) {
            let forgotten: Result<()> = transaction!(self.db, |tx| {
                sqlx::query("DELETE FROM outbox WHERE sent_at > 0 AND sent_at < ?")
                    .bind(before)
                    .execute(tx.named("outbox.forget"))
                    .await?;
                Ok(())
            });
            if let Err(error) = forgotten {
                tracing::warn!(error = error.chain(), "sent events stay for now");
            }
        }
    }
}
