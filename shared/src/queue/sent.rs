//! Waiting for the outbox: whoever asked for a change can read what follows from it, once the events that tell of the
//! change are sent. Nothing depends on the wait.

use std::pin::pin;
use std::time::Duration;

use crate::error::Result;
use crate::store::sql::Db;

/// Until all events of a key are sent, and so have had their effects, but no longer than `patience`. What another process
/// sends is seen at the end of it alone. `false` where something is still unsent.
pub async fn until(db: &Db, topic: &str, key: &str, patience: Duration) -> Result<bool> {
    let sent = async {
        loop {
            let mut next = pin!(db.outbox_sent().notified());
            // Heard from here on: what is sent during the look is not missed.
            next.as_mut().enable();
            if is_all_sent(db, topic, key).await? {
                return Ok(());
            }
            next.await;
        }
    };
    match tokio::time::timeout(patience, sent).await {
        Ok(done) => done.map(|()| true),
        Err(_) => is_all_sent(db, topic, key).await,
    }
}

async fn is_all_sent(db: &Db, topic: &str, key: &str) -> Result<bool> {
    let query = "SELECT 1 FROM outbox WHERE topic = ? AND event_key = ? AND sent_at = 0 LIMIT 1";
    let unsent = sqlx::query(query).bind(topic).bind(key);
    Ok(unsent.fetch_optional(db.named("outbox.unsent_of_key")).await?.is_none())
}
