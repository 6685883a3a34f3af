//! Idempotency keys: what was done once under a key is not done again, and the answer is the same. A row is claimed
//! before the work and finished in the work's own transaction; the claim runs out, so that a crash frees the key, and
//! who takes it over continues the same subject, such as the id of the order that the first try may have made.

use std::time::Duration;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use sqlx::Row;
use uuid::Uuid;

use super::sql::{self, Db, Tx};
use crate::clock;
use crate::config::duration;
use crate::error::{BoxError, Code, Error, Result};
use crate::lifecycle::Lifecycle;
use crate::transaction;

/// A step of the schema of each service that uses keys.
pub const SQLITE: &str = "
CREATE TABLE idempotency (
    scope        VARCHAR(100) NOT NULL,
    idem_key     VARCHAR(255) NOT NULL,
    fingerprint  VARCHAR(64)  NOT NULL,
    subject      VARCHAR(36)  NOT NULL,
    owner        VARCHAR(36)  NOT NULL,
    claimed_until BIGINT      NOT NULL,
    answer       TEXT,
    created_at   BIGINT       NOT NULL,
    PRIMARY KEY (scope, idem_key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
";

/// `Idempotency:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Conf {
    /// A key whose first try ended without an answer is free after this.
    #[serde(with = "duration")]
    pub lease: Duration,
    /// Answers are kept this long.
    #[serde(with = "duration")]
    pub keep: Duration,
}

impl Default for Conf {
    fn default() -> Conf {
        Conf { lease: Duration::from_secs(30), keep: Duration::from_secs(48 * 3600) }
    }
}

/// A key's owner, its route, and the request it came with.
pub struct Key {
    scope: String,
    key: String,
    fingerprint: String,
}

impl Key {
    /// Refuses a key that is missing or too long. `request` is what must be the same the second time.
    pub fn new(owner: &str, route: &str, key: &str, request: &[u8]) -> Result<Key> {
        let scope = format!("{owner}:{route}");
        match key.chars().count() {
            0 => Err(Error::new(
                Code::InvalidArgument,
                "idempotency_key_missing",
                "the header Idempotency-Key is required",
            )),
            1..=255 => {
                let digest = Sha256::digest(request);
                let fingerprint = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok(Key { scope, key: key.to_owned(), fingerprint })
            }
            _ => Err(Error::of(Code::InvalidArgument, "an Idempotency-Key has at most 255 characters")),
        }
    }
}

/// What is known of a key.
pub enum Known {
    /// Ours to do. What is left unfinished by a crash is found under the same `subject`.
    Claimed(Claim),
    /// Done before, with this answer.
    Done(String),
}

/// The right to work under a key, until it runs out.
pub struct Claim {
    scope: String,
    key: String,
    owner: String,
    /// An id that stays the same over all tries under the key.
    pub subject: String,
    /// An earlier try under the key ended nobody knows where: it may have left something behind under the subject.
    pub again: bool,
}

/// Claims the key for `lease`, or tells what came of it. Refusals: the same key with another request, and a first try
/// that is still at work.
pub async fn begin(db: &Db, key: &Key, lease: Duration) -> Result<Known> {
    let now = clock::wall_ms();
    let owner = Uuid::now_v7().to_string();
    let until = now + lease.as_millis() as i64;
    let begun = transaction!(db, |tx| {
        let row = sqlx::query("SELECT fingerprint, subject, claimed_until, answer FROM idempotency WHERE scope = ? AND idem_key = ?")
            .bind(&key.scope)
            .bind(&key.key)
            .fetch_optional(tx.named("idempotency.find"))
            .await?;
        let claim = |subject: String, again: bool| Claim {
            scope: key.scope.clone(),
            key: key.key.clone(),
            owner: owner.clone(),
            subject,
            again,
        };
        let Some(row) = row else {
            let subject = Uuid::now_v7().to_string();
            sqlx::query(
                "INSERT INTO idempotency (scope, idem_key, fingerprint, subject, owner, claimed_until, created_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(&key.scope)
            .bind(&key.key)
            .bind(&key.fingerprint)
            .bind(&subject)
            .bind(&owner)
            .bind(until)
            .bind(now)
            .execute(tx.named("idempotency.claim"))
            .await?;
            return Ok(Known::Claimed(claim(subject, false)));
        };
        if row.try_get::<String, _>("fingerprint")? != key.fingerprint {
            return Err(reused());
        }
        if let Some(answer) = row.try_get::<Option<String>, _>("answer")? {
            return Ok(Known::Done(answer));
        }
        let taken = sqlx::query(
            "UPDATE idempotency SET owner = ?, claimed_until = ?
             WHERE scope = ? AND idem_key = ? AND answer IS NULL AND claimed_until < ?",
        )
        .bind(&owner)
        .bind(until)
        .bind(&key.scope)
        .bind(&key.key)
        .bind(now)
        .execute(tx.named("idempotency.take_over"))
        .await?;
        match taken.rows_affected() {
            1 => Ok(Known::Claimed(claim(row.try_get("subject")?, true))),
            _ => Err(in_flight()),
        }
    });
    // Two first tries at once: the slower one meets the row of the faster.
    begun.map_err(|error| if sql::is_duplicate(&error) { in_flight() } else { error })
}

/// Keeps the answer, in the transaction of what it tells. Fails where the claim ran out and another has taken it: then
/// nothing of this try may be committed.
pub async fn finish(tx: &mut Tx, claim: &Claim, answer: &str) -> Result<()> {
    let kept = sqlx::query(
        "UPDATE idempotency SET answer = ? WHERE scope = ? AND idem_key = ? AND owner = ? AND answer IS NULL",
    )
    .bind(answer)
    .bind(&claim.scope)
    .bind(&claim.key)
    .bind(&claim.owner)
    .execute(tx.named("idempotency.finish"))
    .await?;
    if kept.rows_affected() == 1 { Ok(()) } else { Err(in_flight()) }
}

/// Frees the key: nothing was done under it, so a corrected situation may be tried with it again.
pub async fn release(db: &Db, claim: &Claim) -> Result<()> {
    transaction!(db, |tx| {
        sqlx::query(
            "DELETE FROM idempotency WHERE scope = ? AND idem_key = ? AND owner = ? AND answer IS NULL",
        )
        .bind(&claim.scope)
        .bind(&claim.key)
        .bind(&claim.owner)
        .execute(tx.named("idempotency.release"))
        .await?;
        Ok(())
    })
}

/// Ends the claim before its time: whoever asks next goes on at once, with the same subject.
pub async fn hand_over(db: &Db, claim: &Claim) -> Result<()> {
    transaction!(db, |tx| {
        sqlx::query(
            "UPDATE idempotency SET claimed_until = 0 WHERE scope = ? AND idem_key = ? AND owner = ? AND answer IS NULL",
        )
        .bind(&claim.scope)
        .bind(&claim.key)
        .bind(&claim.owner)
        .execute(tx.named("idempotency.hand_over"))
        .await?;
        Ok(())
    })
}

/// Forgets keys that are older than `age`, once an hour.
pub fn forget_old(db: &Db, age: Duration, lifecycle: &Lifecycle) {
    let (db, owner) = (db.clone(), lifecycle.clone());
    lifecycle.spawn("forget idempotency keys", async move {
        loop {
            let before = clock::wall_ms() - age.as_millis() as i64;
            if let Err(error) = forget(&db, before).await {
                tracing::warn!(error = error.chain(), "old idempotency keys stay for now");
            }
            if !owner.pause(Duration::from_secs(3600)).await {
                return Ok::<(), BoxError>(());
            }
        }
    });
}

/// So many at a time, so that writers do not wait for long.
const FORGET: i64 = 1000;

/// A key that somebody works under stays, however old it is: its answer is still to be kept.
async fn forget(db: &Db, before: i64) -> Result<()> {
    loop {
        let now = clock::wall_ms();
        let oldest = "SELECT created_at FROM idempotency WHERE created_at < ? AND claimed_until < ? ORDER BY created_at LIMIT ?";
        let oldest = sqlx::query_scalar(oldest).bind(before).bind(now).bind(FORGET);
        let oldest: Vec<i64> = oldest.fetch_all(db.named("idempotency.old")).await?;
        let Some(last) = oldest.last() else { return Ok(()) };
        transaction!(db, |tx| {
            sqlx::query("DELETE FROM idempotency WHERE created_at <= ? AND claimed_until < ?")
                .bind(last)
                .bind(now)
                .execute(tx.named("idempotency.forget"))
                .await?;
            Ok(())
        })?;
    }
}

fn reused() -> Error {
    Error::new(
        Code::Unprocessable,
        "idempotency_key_reused",
        "this Idempotency-Key came with another request before",
    )
}

fn in_flight() -> Error {
    Error::new(
        Code::Conflict,
        "idempotency_in_flight",
        "the first request with this Idempotency-Key is still at work",
    )
    .retry_after(Duration::from_secs(1))
}
