//! Transactions: all of a block or nothing of it, one writer at a time where the database has but one, and the whole again
//! where others were in its way.

use std::time::Duration;

use sqlx::{Any, AnyConnection, Transaction};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::fault::is_transient;
use super::statement::Timer;
use super::{Db, Dialect, Named, busy};
use crate::clock;
use crate::error::{Code, Error, Result};
use crate::pipeline::ambient;

/// How often a whole transaction is tried where others are in its way.
const TRIES: u32 = 5;

/// A transaction: all of the block, or nothing. The block is an `async` one that gives a [`Result`]; an error rolls back.
/// It is run again as a whole where the database says that others were in its way, so it must do nothing but SQL. It must
/// not begin another one: SQLite has one writer, and the inner one would wait for the outer.
///
/// A macro, since a closure that borrows both its captures and the transaction cannot be known to be `Send`.
///
/// ```
/// # use shared::{error::Result, store::sql::Db, transaction};
/// async fn rename(db: &Db, id: &str, name: &str) -> Result<bool> {
///     transaction!(db, |tx| {
///         let update = sqlx::query("UPDATE product SET name = ? WHERE id = ?").bind(name).bind(id);
///         Ok(update.execute(tx.named("product.rename")).await?.rows_affected() == 1)
///     })
/// }
/// ```
#[macro_export]
macro_rules! transaction {
    ($db:expr, |$tx:ident| $work:block) => {
        async {
            let mut tries = $crate::store::sql::Tries::default();
            loop {
                let mut transaction = $db.begin().await?;
                let done: $crate::error::Result<_> = {
                    let $tx = &mut transaction;
                    async { $work }.await
                };
                if let Some(done) = tries.settle(transaction, done).await {
                    break done;
                }
            }
        }
        .await
    };
}

/// The tries of one transaction.
#[derive(Default)]
pub struct Tries(u32);

impl Tries {
    /// Commits what was done well. `None` where the whole must be done again.
    pub async fn settle<T>(&mut self, tx: Tx, done: Result<T>) -> Option<Result<T>> {
        let done = match done {
            Ok(value) => tx.commit().await.map(|()| value),
            Err(error) => {
                tx.roll_back().await;
                Err(error)
            }
        };
        self.0 += 1;
        match done {
            Err(error) if !is_transient(&error) => Some(Err(error)),
            Err(error) if self.0 >= TRIES => Some(Err(busy().caused_by(error))),
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(1..10) * u64::from(self.0))).await;
                None
            }
            done => Some(done),
        }
    }
}

/// A transaction under way. Dropped without a commit, it never was.
pub struct Tx {
    inner: Transaction<'static, Any>,
    db: Db,
    tells: bool,
    /// Given to the next writer after the commit or rollback above it.
    _turn: Option<OwnedSemaphorePermit>,
}

impl Tx {
    /// Where `statement` runs: `query.execute(tx.named("product.rename"))`. Measured.
    pub fn named(&mut self, statement: &'static str) -> Named<&mut AnyConnection> {
        Named::new(&mut self.inner, statement, self.db.0.slow)
    }

    /// The bare connection, for what is not measured.
    pub fn on(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    pub fn dialect(&self) -> Dialect {
        self.db.0.dialect
    }

    /// The commit will be of interest to the outbox's relay.
    pub(crate) fn stirs_outbox(&mut self) {
        self.tells = true;
    }

    async fn commit(self) -> Result<()> {
        let timer = Timer::start("transaction.commit", self.db.0.slow);
        self.inner.commit().await?;
        drop(timer);
        if self.tells {
            self.db.stir_outbox();
        }
        Ok(())
    }

    /// Before its turn is given on, so that the next writer does not find the lock still held.
    async fn roll_back(self) {
        if let Err(error) = self.inner.rollback().await {
            // The database has rolled back by itself, and the pool gives such a connection to nobody.
            tracing::warn!(error = %error, "a rollback failed");
        }
    }
}

impl Db {
    /// Begins what [`transaction!`](crate::transaction) runs; nothing else calls it. Waits for its turn and a connection
    /// no longer than `AcquireTimeout`, and not beyond the deadline of the request.
    pub async fn begin(&self) -> Result<Tx> {
        let _timer = Timer::start("transaction.begin", self.0.slow);
        let patience = Instant::now() + self.0.patience;
        let deadline = ambient::current().and_then(|ambient| ambient.deadline).map(clock::instant);
        let end = deadline.map_or(patience, |deadline| deadline.min(patience));
        match tokio::time::timeout_at(end, self.begin_in_turn()).await {
            Ok(Err(error)) if is_transient(&error) => Err(busy().caused_by(error)),
            Ok(begun) => begun,
            Err(_) if end == patience => Err(busy()),
            Err(_) => Err(Error::of(Code::DeadlineExceeded, "the deadline came before the database")),
        }
    }

    async fn begin_in_turn(&self) -> Result<Tx> {
        let turn = match &self.0.writers {
            Some(writers) => Some(writers.clone().acquire_owned().await.map_err(Error::internal)?),
            None => None,
        };
        let inner = match self.0.dialect {
            // Taking the write lock first spares SQLite the upgrade that it refuses when two wait for it.
            Dialect::Sqlite => self.0.pool.begin_with("BEGIN IMMEDIATE").await?,
        };
        Ok(Tx { inner, db: self.clone(), tells: false, _turn: turn })
    }
}
