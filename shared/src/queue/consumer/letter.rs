//! Dead letters: events that a consumer gave up, in its own database.

use sqlx::Row;

use super::Handler;
use crate::error::{Error, Result};
use crate::queue::Event;
use crate::store::sql::Db;
use crate::transaction;

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
