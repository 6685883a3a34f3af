//! SQL: a pool, transactions and migrations over SQLite or MySQL; the URL chooses, and models write one SQL for both.
//!
//! What runs on both: `?` placeholders; columns of BIGINT, INT, VARCHAR and TEXT; ids made by us; times as milliseconds
//! since the Unix epoch; flags as INT; sums as `CAST(COALESCE(SUM(x), 0) AS SIGNED)`. [`Dialect`] is asked for exactly
//! three things: upserts, `SKIP LOCKED`, and the schema.
//!
//! A model's file is one table: its row, and a function a statement. Reads run on the [`Db`], writes on the [`Tx`] of the
//! use case. Each statement is measured under the name it is given, `table.what`.
//!
//! ```
//! use shared::error::Result;
//! use shared::store::sql::{Db, Tx};
//! use sqlx::any::AnyRow;
//! use sqlx::{FromRow, Row};
//!
//! pub struct Product {
//!     pub id: String,
//!     pub price: i64,
//!     pub version: i64,
//! }
//!
//! impl FromRow<'_, AnyRow> for Product {
//!     fn from_row(row: &AnyRow) -> sqlx::Result<Product> {
//!         Ok(Product { id: row.try_get("id")?, price: row.try_get("price")?, version: row.try_get("version")? })
//!     }
//! }
//!
//! pub async fn by_id(db: &Db, id: &str) -> Result<Option<Product>> {
//!     let query = sqlx::query_as("SELECT id, price, version FROM product WHERE id = ?");
//!     Ok(query.bind(id).fetch_optional(db.named("product.by_id")).await?)
//! }
//!
//! /// `false` where somebody else was faster.
//! pub async fn set_price(tx: &mut Tx, id: &str, version: i64, price: i64) -> Result<bool> {
//!     let query = sqlx::query("UPDATE product SET price = ?, version = version + 1 WHERE id = ? AND version = ?");
//!     let done = query.bind(price).bind(id).bind(version).execute(tx.named("product.set_price")).await?;
//!     Ok(done.rows_affected() == 1)
//! }
//!
//! # use shared::lifecycle::{Lifecycle, Shutdown};
//! # use shared::store::sql::{DataSource, Migrations};
//! // Elsewhere, `include_str!("../migrations/sqlite/0001_product.sql")`:
//! const SCHEMA: Migrations = Migrations {
//!     sqlite: &["CREATE TABLE product (id VARCHAR(36) PRIMARY KEY, price BIGINT NOT NULL, version BIGINT NOT NULL)"],
//! };
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # let folder = tempfile::tempdir()?;
//! # let conf = DataSource { url: format!("sqlite://{}/a.db", folder.path().display()), ..DataSource::default() };
//! # let lifecycle = Lifecycle::new("doc", &Shutdown::default());
//! let db = Db::open(&conf, &SCHEMA, &lifecycle).await?;
//! # sqlx::query("INSERT INTO product VALUES ('pot', 100, 1)").execute(db.pool()).await?;
//! let changed = shared::transaction!(&db, |tx| { set_price(tx, "pot", 1, 120).await })?;
//! assert!(changed);
//! assert_eq!(by_id(&db, "pot").await?.unwrap().price, 120);
//! # Ok::<(), shared::error::BoxError>(())
//! # })?;
//! # Ok::<(), shared::error::BoxError>(())
//! ```

mod fault;
mod statement;
mod transaction;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, AnyPool, Connection, SqlSafeStr};
use tokio::sync::{Notify, Semaphore};

use crate::config::duration;
use crate::error::{BoxError, Error, Result};
use crate::lifecycle::Lifecycle;
use crate::telemetry::metrics;
use statement::Timer;

pub use fault::is_duplicate;
pub use statement::Named;
pub use transaction::{Tries, Tx};

/// `DataSource:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DataSource {
    /// `sqlite://path/to/file.db`; `%`, `?` and `#` in a path are `%25`, `%3F` and `%23`, as in every URL.
    pub url: String,
    pub max_connections: u32,
    /// How long to wait for a connection, and to write for one's turn; a request's own deadline may end it sooner.
    #[serde(with = "duration")]
    pub acquire_timeout: Duration,
    /// A statement that takes longer is logged, by its name.
    #[serde(with = "duration")]
    pub slow_threshold: Duration,
    /// SQLite: whether a commit waits for the disk (`synchronous = FULL`). A killed process loses nothing that was
    /// committed either way, since the write-ahead log is in the system's cache by then; a power cut may cost the last
    /// commits without it. On by default: an order that was answered for must be there.
    pub durable: bool,
}

impl Default for DataSource {
    fn default() -> DataSource {
        DataSource {
            url: String::new(),
            max_connections: 8,
            acquire_timeout: Duration::from_secs(5),
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
    patience: Duration,
    slow: Duration,
    outbox: Notify,
    sent: Notify,
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
        let (url, file) = sqlite_url(&conf.url).await?;
        probe(&url, &file).await?;
        let options =
            AnyPoolOptions::new().max_connections(conf.max_connections).acquire_timeout(conf.acquire_timeout);
        let durable = conf.durable;
        let options = options
            .after_connect(move |connection, _| Box::pin(prepare(connection, durable)))
            .after_release(|connection, _| Box::pin(is_sound(connection)));
        let pool = options.connect(&url).await?;
        migrate(&pool, migrations.sqlite).await?;
        let db = Db(Arc::new(Inner {
            pool,
            dialect: Dialect::Sqlite,
            writers: Some(Arc::new(Semaphore::new(1))),
            patience: conf.acquire_timeout,
            slow: conf.slow_threshold,
            outbox: Notify::new(),
            sent: Notify::new(),
        }));
        db.tell_connections(lifecycle.name());
        let checked = db.clone();
        lifecycle.ready_while("database", move || {
            let pool = checked.0.pool.clone();
            async move {
                sqlx::query("SELECT 1").execute(&pool).await?;
                Ok(())
            }
        });
        // The last connection takes SQLite's write-ahead log along, and leaves one file.
        let pool = db.0.pool.clone();
        lifecycle.on_end(async move { pool.close().await });
        Ok(db)
    }

    fn tell_connections(&self, service: &'static str) {
        let (idle, used) =
            (metrics::sql_connections(service, "idle"), metrics::sql_connections(service, "used"));
        let db = Arc::downgrade(&self.0);
        metrics::sample(move || {
            let Some(db) = db.upgrade() else { return false };
            let (all, free) = (db.pool.size() as usize, db.pool.num_idle());
            idle.set(free as f64);
            used.set(all.saturating_sub(free) as f64);
            true
        });
    }

    /// Where the read `statement` runs: `query.fetch_all(db.named("product.list"))`. Measured, with its wait for a
    /// connection.
    pub fn named(&self, statement: &'static str) -> Named<&AnyPool> {
        Named::new(&self.0.pool, statement, self.0.slow)
    }

    /// The bare connections, for what is not measured.
    pub fn pool(&self) -> &AnyPool {
        &self.0.pool
    }

    /// Measures what is more than one statement under one name.
    pub async fn timed<T>(
        &self,
        name: &'static str,
        run: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T> {
        let _timer = Timer::start(name, self.0.slow);
        Ok(run.await?)
    }

    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// Until the outbox has something new to send: a commit of this process, or room in its relay.
    pub(crate) async fn outbox_stirred(&self) {
        self.0.outbox.notified().await;
    }

    /// Where it is heard that this process has sent an event.
    pub(crate) fn outbox_sent(&self) -> &Notify {
        &self.0.sent
    }

    pub(crate) fn stir_outbox(&self) {
        self.0.outbox.notify_one();
    }
}

/// `SQLITE_NOTADB`.
const NO_DATABASE: &str = "26";

/// The URL as the driver wants it, and its file, after the file's folder was made.
async fn sqlite_url(url: &str) -> Result<(String, PathBuf), BoxError> {
    let Some(("sqlite", rest)) = url.split_once("://") else {
        // Not the whole URL: it may hold a password.
        let scheme = url.split("://").next().unwrap_or_default();
        return Err(format!("`{scheme}` is no database; write sqlite://path/to/file.db").into());
    };
    let (file, query) = rest.split_once('?').unwrap_or((rest, "mode=rwc"));
    if file.is_empty() || file.starts_with(':') {
        return Err("a database in memory would be another one for each connection; name a file".into());
    }
    let url = format!("sqlite://{file}?{query}");
    // As the driver has it: a `?` in a file's name is `%3F` in the URL.
    let file = url.parse::<SqliteConnectOptions>()?.get_filename().to_owned();
    if let Some(folder) = file.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    Ok((url, file))
}

/// Tells what is no database by its first page. The pool would try again and again, and say that it had no time.
async fn probe(url: &str, file: &Path) -> Result<(), BoxError> {
    let read = async {
        let mut connection = AnyConnection::connect(url).await?;
        sqlx::query("PRAGMA schema_version").execute(&mut connection).await?;
        connection.close().await
    };
    match read.await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_DATABASE) => {
            Err(format!("{} is no SQLite database; move it away, or name another file", file.display())
                .into())
        }
        // Whatever else it is, the pool may find it gone.
        _ => Ok(()),
    }
}

async fn prepare(connection: &mut AnyConnection, durable: bool) -> Result<(), sqlx::Error> {
    let synchronous = if durable { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
    for pragma in
        ["PRAGMA busy_timeout = 5000", "PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON", synchronous]
    {
        sqlx::query(pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Whether a connection may be used again. A full disk makes SQLite roll back by itself, and the driver goes on counting a
/// transaction in which nothing can be begun any more; the next connection is a new one then.
async fn is_sound(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A transaction that was dropped is being rolled back, and the answer to this comes after that.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// All steps that have not run, in one transaction that keeps other processes out: SQLite has no other lock for it.
async fn migrate(pool: &AnyPool, steps: &'static [&'static str]) -> Result<(), BoxError> {
    let steps = steps.iter().zip(1_i64..).map(|(sql, version)| {
        let name = format!("step {version}").into();
        Migration::new(version, name, MigrationType::Simple, sql.into_sql_str(), false)
    });
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    Migrator::with_migrations(steps.collect()).run(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// The database could not be had in time.
fn busy() -> Error {
    Error::unavailable("the database is busy")
}
