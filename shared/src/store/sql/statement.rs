//! A statement's place to run, which measures it: an executor for sqlx that knows the statement's name.

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, PoisonError, RwLock};
use std::time::Duration;

use ::metrics::Histogram;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use sqlx::any::{Any, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Either, Execute, Executor, SqlStr};

use crate::clock;
use crate::pipeline::ambient;
use crate::telemetry::metrics;

type Result<T> = std::result::Result<T, sqlx::Error>;

/// Runs a statement on `E` and measures it, to its last row, its failure, or its being dropped.
pub struct Named<E> {
    place: E,
    timer: Timer,
}

impl<E> Named<E> {
    pub(super) fn new(place: E, statement: &'static str, slow: Duration) -> Named<E> {
        Named { place, timer: Timer::start(statement, slow) }
    }
}

impl<E> fmt::Debug for Named<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.timer.statement)
    }
}

impl<'c, E: Executor<'c, Database = Any>> Executor<'c> for Named<E> {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, Q>(self, query: Q) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>>>
    where
        'c: 'e,
        Q: 'q + Execute<'q, Any>,
    {
        let Named { place, timer } = self;
        // The stream owns the timer, and so ends it.
        place.fetch_many(query).inspect(move |_| timer.runs()).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, Q>(self, query: Q) -> BoxFuture<'e, Result<Option<AnyRow>>>
    where
        'c: 'e,
        Q: 'q + Execute<'q, Any>,
    {
        let Named { place, timer } = self;
        place.fetch_optional(query).inspect(move |_| timer.runs()).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement>>
    where
        'c: 'e,
    {
        self.place.prepare_with(sql, parameters)
    }
}

/// Records at its end.
pub(super) struct Timer {
    statement: &'static str,
    start: u64,
    slow: Duration,
}

impl Timer {
    pub(super) fn start(statement: &'static str, slow: Duration) -> Timer {
        Timer { statement, start: clock::tick(), slow }
    }

    /// Nothing but a reason to be owned by who runs the statement.
    fn runs(&self) {}
}

impl Drop for Timer {
    fn drop(&mut self) {
        let took = Duration::from_nanos(clock::tick().saturating_sub(self.start));
        let duration_ms = took.as_secs_f64() * 1e3;
        histogram(self.statement).record(duration_ms);
        if took > self.slow {
            tracing::warn!(statement = self.statement, duration_ms, "slow statement");
        }
    }
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
