//! One event at a time: tried until it has had its effect, or put aside where it never will.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use ::metrics::{Counter, Histogram};
use futures_util::FutureExt;
use uuid::Uuid;

use super::{Conf, Handler, Taken};
use crate::error::{BoxError, Code, Error, Result};
use crate::lifecycle::{Lifecycle, panic_text};
use crate::pipeline::ambient::{self, Ambient};
use crate::queue::Event;
use crate::store::sql::{Db, Tx};
use crate::telemetry::metrics;
use crate::telemetry::trace::Ids;
use crate::{clock, crash, transaction};

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Done,
    Duplicate,
    Retried,
    Dead,
}

pub(super) struct Counts([Counter; 4]);

impl Counts {
    pub(super) fn of(group: &'static str) -> Counts {
        let all = [Tried::Done, Tried::Duplicate, Tried::Retried, Tried::Dead];
        Counts(all.map(|tried| metrics::consumed(group, tried.as_str())))
    }

    fn count(&self, tried: Tried) {
        self.0[tried as usize].increment(1);
    }
}

impl Tried {
    fn as_str(self) -> &'static str {
        match self {
            Tried::Done => "done",
            Tried::Duplicate => "duplicate",
            Tried::Retried => "retried",
            Tried::Dead => "dead",
        }
    }
}

pub(super) struct Consumer<H> {
    pub(super) topic: &'static str,
    pub(super) group: &'static str,
    pub(super) service: &'static str,
    pub(super) db: Db,
    pub(super) conf: Conf,
    pub(super) handler: H,
    pub(super) counts: Counts,
    pub(super) lag: Histogram,
}

impl<H: Handler> Consumer<H> {
    /// Until the event has had its effect, or is a dead letter.
    pub(super) async fn work(&self, Taken { delivery, _counted }: Taken) {
        // It will come again; meanwhile it would only be in the way of others.
        if delivery.is_given_up() {
            return;
        }
        let event = delivery.event.clone();
        let parent = event.traceparent.as_deref().unwrap_or_default();
        let ids = Ids::continued(parent.as_bytes()).unwrap_or_else(Ids::root);
        let ambient = Ambient { ids, deadline: None, service: self.service };
        ambient::scope(ambient, self.try_until_done(&event)).await;
        crash::point("before_acknowledgement");
        delivery.acknowledge();
    }

    async fn try_until_done(&self, event: &Event) {
        let mut tries = 1;
        loop {
            let tried = self.attempt(event, tries).await;
            self.counts.count(tried);
            if tried != Tried::Retried {
                tracing::info!(
                    event = event.id,
                    kind = event.kind,
                    subject = event.subject,
                    result = tried.as_str(),
                    "consumed"
                );
                return;
            }
            let wait = self.conf.back_off * 2_u32.saturating_pow(tries.min(8) - 1);
            tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64())).await;
            tries += 1;
        }
    }

    async fn attempt(&self, event: &Event, tries: u32) -> Tried {
        let error = match self.within_time(event).await {
            Ok(true) => {
                self.lag.record(event.age().as_secs_f64() * 1e3);
                return Tried::Done;
            }
            Ok(false) => return Tried::Duplicate,
            Err(error) => error,
        };
        let (id, kind, reason) = (&event.id, &event.kind, error.chain());
        if tries < self.conf.tries || error.code() == Code::Unavailable {
            tracing::warn!(event = id, kind, tries, error = reason, "an event failed");
            return Tried::Retried;
        }
        tracing::error!(event = id, kind, tries, error = reason, "an event is a dead letter");
        match self.bury(event, &reason).await {
            Ok(()) => Tried::Dead,
            Err(error) => {
                tracing::warn!(event = id, kind, error = error.chain(), "a dead letter cannot be put aside");
                Tried::Retried
            }
        }
    }

    /// A handler that panics or hangs has failed, like any other: neither may take the others along.
    async fn within_time(&self, event: &Event) -> Result<bool> {
        let once = AssertUnwindSafe(self.once(event)).catch_unwind();
        match tokio::time::timeout(self.conf.timeout, once).await {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => Err(Error::internal(format!("it panicked: {}", panic_text(&*panic)))),
            Err(late) => Err(Error::of(Code::DeadlineExceeded, "the effect took too long").caused_by(late)),
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

    async fn bury(&self, event: &Event, reason: &str) -> Result<()> {
        let text = serde_json::to_string(event).map_err(Error::internal)?;
        transaction!(self.db, |tx| {
            self.remember(event, tx).await?;
            sqlx::query(
                "INSERT INTO dead_letters (consumer, event_id, topic, event, reason, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(self.group)
            .bind(&event.id)
            .bind(self.topic)
            .bind(&text)
            .bind(reason)
            .bind(clock::wall_ms())
            .execute(tx.named("dead_letters.add"))
            .await?;
            Ok(())
        })
    }
}

impl<H: Handler> Consumer<H> {
    pub(super) fn forget_old(self: Arc<Self>, lifecycle: &Lifecycle) {
        let owner = lifecycle.clone();
        lifecycle.spawn(format!("forget inbox of {}", self.group), async move {
            loop {
                let before = clock::wall_ms() - self.conf.keep.as_millis() as i64;
                if let Err(error) = self.forget_before(before).await {
                    tracing::warn!(error = error.chain(), "old rows of the inbox stay for now");
                }
                if !owner.pause(Duration::from_secs(3600)).await {
                    return Ok::<(), BoxError>(());
                }
            }
        });
    }

    /// Ids begin with their time, and stand in the primary key.
    async fn forget_before(&self, before: i64) -> Result<()> {
        let oldest_kept = Uuid::from_u128((before.max(0) as u128) << 80).to_string();
        transaction!(self.db, |tx| {
            sqlx::query("DELETE FROM inbox WHERE consumer = ? AND event_id < ? AND created_at < ?")
                .bind(self.group)
                .bind(&oldest_kept)
                .bind(before)
                .execute(tx.named("inbox.forget"))
                .await?;
            Ok(())
        })
    }
}
