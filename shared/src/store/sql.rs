//! SQL: a pool, transactions and migrations over SQLite or MySQL; the URL chooses, and models write one SQL for both.
//!
//! What runs on both: `?` placeholders; columns of BIGINT, INT, VARCHAR and TEXT; ids made by us; times as milliseconds
//! since the Unix epoch; flags as INT; sums as `CAST(COALESCE(SUM(x), 0) AS SIGNED)`. [`Dialect`] is asked for exactly
//! three things: upserts, `SKIP LOCKED`, and the schema.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::Duration;

use ::metrics::Histogram;
use serde::Deserialize;
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, SqlSafeStr, Transaction};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::clock;
use crate::config::duration;
use crate::error::{BoxError, Error, Result};
use crate::lifecycle::Lifecycle;
use crate::pipeline::ambient;
use crate::telemetry::metrics;

/// `DataSource:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DataSource {
    /// `sqlite://path/to/file.db`.
    pub url: String,
    pub max_connections: u32,
    #[serde(with = "duration")]
    pub acquire_timeout: Duration,
    /// A statement that takes longer is logged, by its name.
    #[serde(with = "duration")]
    pub slow_threshold: Duration,
    /// SQLite: whether a commit waits for the disk. Without it a crash of the process loses nothing that was committed,
    /// but a power cut may lose the last commits.
    pub durable: bool,
}

impl Default for DataSource {
    fn default() -> DataSource {
        DataSource {
            url: String::new(),
            max_connections: 8,
            acquire_timeout: Duration::from_secs(2),
            slow_threshold: Duration::from_millis(500),
            durable: true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
}

/// A schema's steps, oldest first: the texts of its `migrations` folder. What has run is never edited.
pub struct Migrations {
    pub sqlite: &'static [&'static str],
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    pool: AnyPool,
    dialect: Dialect,
    /// SQLite has one writer at a time: waiting here is fair, where SQLite itself polls.
    writers: Option<Arc<Semaphore>>,
    slow: Duration,
    committed: Notify,
}

/// How often a whole transaction is tried where others are in its way.
const TRIES: u32 = 5;

/// A transaction: all of the block, or nothing. The block is an `async` one that gives a [`Result`]; an error rolls back.
/// It is run again as a whole where the database says that others were in its way, so it must do nothing but SQL.
///
/// A macro, since a closure that borrows both its captures and the transaction cannot be known to be `Send`.
///
/// ```
/// # use shared::{error::Result, store::sql::Db, transaction};
/// async fn rename(db: &Db, id: &str, name: &str) -> Result<bool> {
///     transaction!(db, |tx| {
///         let update = sqlx::query("UPDATE product SET name = ? WHERE id = ?");
///         Ok(update.bind(name).bind(id).execute(tx.on()).await?.rows_affected() == 1)
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
                // Rolled back and its turn given on before anybody waits.
                drop(tx);
                Err(error)
            }
        };
        self.0 += 1;
        match done {
            Err(error) if is_transient(&error) && self.0 < TRIES => {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(1..10) * u64::from(self.0))).await;
                None
            }
            done => Some(done),
        }
    }
}

impl Db {
    /// Connects, migrates, and makes the lifecycle's readiness depend on the database.
    pub async fn open(
        conf: &DataSource,
        migrations: &Migrations,
        lifecycle: &Lifecycle,
    ) -> Result<Db, BoxError> {
        static DRIVERS: std::sync::Once = std::sync::Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let dialect = match conf.url.split_once("://") {
            Some(("sqlite", file)) => {
                if let Some(folder) = std::path::Path::new(file).parent() {
                    tokio::fs::create_dir_all(folder).await?;
                }
                Dialect::Sqlite
            }
            _ => return Err(format!("`{}` is no database; write sqlite://path/to/file.db", conf.url).into()),
        };
        let options =
            AnyPoolOptions::new().max_connections(conf.max_connections).acquire_timeout(conf.acquire_timeout);
        let durable = conf.durable;
        let options = options.after_connect(move |connection, _| Box::pin(prepare(connection, durable)));
        let pool = options.connect(&format!("{}?mode=rwc", conf.url)).await?;
        let steps = migrations.sqlite.iter().zip(1_i64..);
        let steps = steps.map(|(sql, version)| {
            let name = format!("step {version}").into();
            Migration::new(version, name, MigrationType::Simple, sql.into_sql_str(), false)
        });
        Migrator::with_migrations(steps.collect()).run(&pool).await?;
        let db = Db(Arc::new(Inner {
            pool,
            dialect,
            writers: Some(Arc::new(Semaphore::new(1))),
            slow: conf.slow_threshold,
            committed: Notify::new(),
        }));
        let checked = db.clone();
        lifecycle.ready_while("database", move || {
            let pool = checked.0.pool.clone();
            async move {
                sqlx::query("SELECT 1").execute(&pool).await?;
                Ok(())
            }
        });
        Ok(db)
    }

    /// For reads.
    pub fn pool(&self) -> &AnyPool {
        &self.0.pool
    }

    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// Begins what [`transaction!`](crate::transaction) runs; nothing else calls it.
    pub async fn begin(&self) -> Result<Tx> {
        let turn = match &self.0.writers {
            Some(writers) => Some(writers.clone().acquire_owned().await.map_err(Error::internal)?),
            None => None,
        };
        let inner = match self.0.dialect {
            // Taking the write lock first spares SQLite the upgrade that it refuses when two wait for it.
            Dialect::Sqlite => self.0.pool.begin_with("BEGIN IMMEDIATE").await?,
        };
        Ok(Tx { inner, db: self.clone(), _turn: turn })
    }

    /// Until the next commit of this process: the outbox relay's wake-up.
    pub async fn committed(&self) {
        self.0.committed.notified().await;
    }

    /// Measures a statement under its name, `table.what`, and tells where it was slow.
    pub async fn timed<T>(
        &self,
        statement: &'static str,
        run: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T> {
        let start = clock::tick();
        let done = run.await;
        let took = clock::tick().saturating_sub(start);
        histogram(statement).record(took as f64 / 1e6);
        if u128::from(took) > self.0.slow.as_nanos() {
            tracing::warn!(statement, duration_ms = took as f64 / 1e6, "slow statement");
        }
        Ok(done?)
    }
}

async fn prepare(connection: &mut AnyConnection, durable: bool) -> Result<(), sqlx::Error> {
    let synchronous = if durable { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
    for pragma in
        ["PRAGMA journal_mode = WAL", "PRAGMA busy_timeout = 5000", "PRAGMA foreign_keys = ON", synchronous]
    {
        sqlx::query(pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A transaction under way. Dropped without a commit, it never was.
pub struct Tx {
    inner: Transaction<'static, Any>,
    db: Db,
    /// Given to the next writer after the commit or rollback above it.
    _turn: Option<OwnedSemaphorePermit>,
}

impl Tx {
    /// What statements run on: `query.execute(tx.on())`.
    pub fn on(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    pub fn dialect(&self) -> Dialect {
        self.db.0.dialect
    }

    async fn commit(self) -> Result<()> {
        self.inner.commit().await?;
        self.db.0.committed.notify_one();
        Ok(())
    }
}

/// Whether the same transaction may well succeed now: a deadlock, a lock that was waited for in vain, a busy SQLite.
fn is_transient(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<sqlx::Error>());
    let Some(sqlx::Error::Database(error)) = source else { return false };
    // SQLite: BUSY and LOCKED with their extended codes. MySQL: serialization failure, lock wait timeout.
    match error.code().as_deref() {
        Some("40001" | "HY000") => true,
        Some(code) => code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6)),
        None => false,
    }
}

/// Whether a unique key is in the way.
pub fn is_duplicate(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<sqlx::Error>());
    matches!(source, Some(sqlx::Error::Database(error)) if error.is_unique_violation())
}

type ByStatement = RwLock<HashMap<(&'static str, &'static str), Histogram>>;

/// The handle of a statement in the service that runs it, made when it first runs.
fn histogram(statement: &'static str) -> Histogram {
    static HANDLES: LazyLock<ByStatement> = LazyLock::new(ByStatement::default);
    let key = (ambient::current().map_or("", |ambient| ambient.service), statement);
    if let Some(handle) = HANDLES.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return handle.clone();
    }
    let mut handles = HANDLES.write().unwrap_or_else(PoisonError::into_inner);
    handles.entry(key).or_insert_with(|| metrics::sql(key.0, statement)).clone()
}
