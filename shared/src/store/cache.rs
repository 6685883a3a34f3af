//! Cache-aside: rows that are read often, kept as JSON in a key-value store. The database stays the truth: a writer
//! commits, then calls [`Cache::delete`], and the next reader fills the place again.
//!
//! A reader that finds nothing takes a *lease*, a value of its own in the key's place, loads, and puts the row where the
//! lease still stands. A delete takes the lease away, so that a load which began before it fills nothing, in whichever
//! process it runs. A process that dies between its commit and its delete leaves a stale row for `Ttl` at most.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::metrics::Counter;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use uuid::Uuid;

use super::kv::Kv;
use crate::clock;
use crate::config::duration;
use crate::error::{BoxError, Code, Error, Result};
use crate::lifecycle::Lifecycle;
use crate::pipeline::ambient::{self, Ambient};
use crate::telemetry::metrics;

/// `Cache:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Conf {
    /// `memory://name`, with `?most=` where its keys should have a bound.
    pub url: String,
    /// How long a row is kept, give or take 5 %, so that what was filled together does not end together.
    #[serde(with = "duration")]
    pub ttl: Duration,
    /// Likewise for the knowledge that there is no such row.
    #[serde(with = "duration")]
    pub absent_ttl: Duration,
    /// Of one access to the store. One that fails or takes longer means that the store is away.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How long a store that is away is left alone before a read tries it again.
    #[serde(with = "duration")]
    pub back_off: Duration,
    /// Of one load from the database.
    #[serde(with = "duration")]
    pub load_timeout: Duration,
    /// How many loads go to the database at once while the store is away; the others wait.
    pub concurrency: usize,
    /// How long they wait, before they are refused.
    #[serde(with = "duration")]
    pub patience: Duration,
}

impl Default for Conf {
    fn default() -> Conf {
        Conf {
            url: "memory://cache?most=100000".to_owned(),
            ttl: Duration::from_secs(600),
            absent_ttl: Duration::from_secs(10),
            timeout: Duration::from_millis(200),
            back_off: Duration::from_secs(1),
            load_timeout: Duration::from_secs(5),
            concurrency: 8,
            patience: Duration::from_secs(2),
        }
    }
}

/// The rows of one kind, `T`. Cheap to clone.
pub struct Cache<T>(Arc<Inner<T>>);

struct Inner<T> {
    name: &'static str,
    kv: Kv,
    conf: Conf,
    lifecycle: Lifecycle,
    state: Mutex<State<T>>,
    /// A tick: until then the store is left alone.
    away_until: AtomicU64,
    room: Semaphore,
    counts: Counts,
}

struct State<T> {
    flights: HashMap<String, Flight<T>>,
    /// Keys whose delete has not reached the store yet, by how many wait: what stands there must not be read.
    doomed: HashMap<String, usize>,
}

/// A load under way. `None` until it has landed.
type Flight<T> = watch::Receiver<Option<Landed<T>>>;
type Landed<T> = Result<Option<T>, Arc<Error>>;

struct Counts {
    hit: Counter,
    miss: Counter,
    absent: Counter,
    bypass: Counter,
}

/// What stands in a key's place, by its first letter.
const ROW: char = '=';
const ABSENT: &str = "-";
const LEASE: char = '?';

/// Bytes of a key, which a client may have chosen. What is longer is not kept.
const LONGEST_KEY: usize = 256;

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Cache<T> {
    /// `name` is the label of metrics and the beginning of keys, such as `user.profile`.
    pub fn try_new(name: &'static str, conf: &Conf, lifecycle: &Lifecycle) -> Result<Cache<T>, BoxError> {
        Ok(Cache(Arc::new(Inner {
            name,
            kv: Kv::open(&conf.url)?,
            conf: conf.clone(),
            lifecycle: lifecycle.clone(),
            state: Mutex::new(State { flights: HashMap::new(), doomed: HashMap::new() }),
            away_until: AtomicU64::new(0),
            room: Semaphore::new(conf.concurrency.max(1)),
            counts: Counts {
                hit: metrics::cache(name, "hit"),
                miss: metrics::cache(name, "miss"),
                absent: metrics::cache(name, "absent"),
                bypass: metrics::cache(name, "bypass"),
            },
        })))
    }

    /// The row under `key`, from the cache or by `load`, which says `None` where there is none. Of many who miss at once
    /// one loads. Its load is a task of its own: it ends, and fills the cache, also when that caller goes away.
    pub async fn get_or_load(
        &self,
        key: &str,
        load: impl Future<Output = Result<Option<T>>> + Send + 'static,
    ) -> Result<Option<T>> {
        let (this, key) = (&self.0, self.place(key));
        let counts = &this.counts;
        if key.len() > LONGEST_KEY {
            counts.bypass.increment(1);
            return this.load_in_turn(load).await;
        }
        if this.must_pass(&key) {
            counts.bypass.increment(1);
        } else {
            match this.look(&key).await {
                Ok(Found::Row(row)) => {
                    counts.hit.increment(1);
                    return Ok(Some(row));
                }
                Ok(Found::Absent) => {
                    counts.absent.increment(1);
                    return Ok(None);
                }
                Ok(Found::Lease | Found::Nothing) => counts.miss.increment(1),
                Err(_) => counts.bypass.increment(1),
            }
        }
        this.join(key, load).await
    }

    /// Forgets the row; called after the commit that changed it. When it returns, no read of this process sees the old row
    /// any more. It is done also when the caller goes away, and tried again while the store is away.
    pub async fn delete(&self, key: &str) {
        let (this, key) = (self.0.clone(), self.place(key));
        this.state().doom(&key);
        let (tell, told) = tokio::sync::oneshot::channel();
        self.0.lifecycle.spawn_job(async move {
            let gone = this.remove(&key).await;
            // Who comes from now on must not be given what was loaded before.
            this.state().flights.remove(&key);
            if gone {
                this.state().pardon(&key);
            }
            // The caller may have gone.
            tell.send(()).ok();
            if !gone {
                this.remove_late(&key).await;
                this.state().pardon(&key);
            }
        });
        // An error where the stop cut the task off.
        told.await.ok();
    }

    fn place(&self, key: &str) -> String {
        format!("{}:{key}", self.0.name)
    }
}

impl<T> Clone for Cache<T> {
    fn clone(&self) -> Cache<T> {
        Cache(self.0.clone())
    }
}

enum Found<T> {
    Row(T),
    Absent,
    /// Somebody loads it.
    Lease,
    Nothing,
}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Inner<T> {
    async fn look(&self, key: &str) -> Result<Found<T>> {
        let Some(text) = self.ask(self.kv.get(key)).await? else { return Ok(Found::Nothing) };
        if text == ABSENT {
            return Ok(Found::Absent);
        }
        if text.starts_with(LEASE) {
            return Ok(Found::Lease);
        }
        if let Some(row) = text.strip_prefix(ROW).and_then(|row| serde_json::from_str(row).ok()) {
            return Ok(Found::Row(row));
        }
        // Written by another version of the program: worth nothing to this one.
        self.ask(self.kv.swap(key, &text, None, Duration::ZERO)).await?;
        Ok(Found::Nothing)
    }

    /// Waits for the flight of this key, and begins it where there is none.
    async fn join(
        self: &Arc<Self>,
        key: String,
        load: impl Future<Output = Result<Option<T>>> + Send + 'static,
    ) -> Result<Option<T>> {
        let mut flight = {
            let mut state = self.state();
            match state.flights.get(&key) {
                Some(flight) => flight.clone(),
                None => {
                    let (tell, flight) = watch::channel(None);
                    state.flights.insert(key.clone(), flight.clone());
                    // It lives on when this caller ends, so it has this one's trace and not its deadline.
                    let ambient = ambient::current().unwrap_or_default();
                    let ambient = Ambient { deadline: None, service: self.lifecycle.name(), ..ambient };
                    let this = self.clone();
                    let fly = async move {
                        let _landing = Landing { cache: &this, key: &key, tell: &tell };
                        let landed = this.fly(&key, load).await;
                        tell.send_replace(Some(landed.map_err(Arc::new)));
                    };
                    self.lifecycle.spawn_job(ambient::scope(ambient, fly));
                    flight
                }
            }
        };
        let landed = flight.wait_for(Option::is_some).await;
        match landed.ok().and_then(|landed| landed.clone()) {
            Some(Ok(row)) => Ok(row),
            Some(Err(error)) => Err(again(error)),
            None => Err(Error::internal("the load ended without a result")),
        }
    }

    async fn fly(&self, key: &str, load: impl Future<Output = Result<Option<T>>>) -> Result<Option<T>> {
        if self.must_pass(key) {
            return self.load_in_turn(load).await;
        }
        let lease = format!("{LEASE}{}", Uuid::now_v7());
        // A lease that outlives its load would keep others from filling; one that is outlived is only lost.
        let term = self.conf.load_timeout + self.conf.timeout;
        match self.ask(self.kv.add(key, &lease, term)).await {
            Ok(true) => {}
            // Another was faster: it has filled the place by now, or still loads. Then this process loads for itself.
            Ok(false) => {
                return match self.look(key).await {
                    Ok(Found::Row(row)) => Ok(Some(row)),
                    Ok(Found::Absent) => Ok(None),
                    Ok(Found::Lease | Found::Nothing) => self.load(load).await,
                    Err(_) => self.load_in_turn(load).await,
                };
            }
            Err(_) => return self.load_in_turn(load).await,
        }
        let loaded = self.load(load).await;
        let (text, ttl) = match &loaded {
            Ok(Some(row)) => {
                let json = serde_json::to_string(row).map_err(Error::internal)?;
                (Some(format!("{ROW}{json}")), self.conf.ttl)
            }
            Ok(None) => (Some(ABSENT.to_owned()), self.conf.absent_ttl),
            Err(_) => (None, Duration::ZERO),
        };
        // A failure to fill has been logged, and costs the next reader a load.
        self.ask(self.kv.swap(key, &lease, text.as_deref(), jittered(ttl))).await.ok();
        loaded
    }

    async fn load(&self, load: impl Future<Output = Result<Option<T>>>) -> Result<Option<T>> {
        let late = |_| Err(Error::of(Code::DeadlineExceeded, "the database took too long"));
        timeout(self.conf.load_timeout, load).await.unwrap_or_else(late)
    }

    /// Nothing stands between the readers and the database: only so many at once.
    async fn load_in_turn(&self, load: impl Future<Output = Result<Option<T>>>) -> Result<Option<T>> {
        match timeout(self.conf.patience, self.room.acquire()).await {
            Ok(_turn) => self.load(load).await,
            Err(_) => Err(Error::unavailable("the cache is away and the database is busy")),
        }
    }

    /// One access to the store.
    async fn ask<A>(&self, access: impl Future<Output = Result<A>>) -> Result<A> {
        let late = |_| Err(Error::unavailable("the key-value store does not answer"));
        let answer = timeout(self.conf.timeout, access).await.unwrap_or_else(late);
        if let Err(error) = &answer {
            let now = clock::tick();
            let until = now.saturating_add(self.conf.back_off.as_nanos() as u64);
            // Of all that meet the same fault, the first tells of it.
            if self.away_until.swap(until, Ordering::Relaxed) <= now {
                tracing::warn!(cache = self.name, error = error.chain(), "the cache is away");
            }
        }
        answer
    }

    /// Whether the store must not be asked: it is away, or holds a row that should be gone.
    fn must_pass(&self, key: &str) -> bool {
        clock::tick() < self.away_until.load(Ordering::Relaxed) || self.state().doomed.contains_key(key)
    }

    async fn remove(&self, key: &str) -> bool {
        self.ask(self.kv.delete(key)).await.is_ok()
    }

    /// Until the store is back, or what stands there has expired by itself.
    async fn remove_late(&self, key: &str) {
        let expired = clock::tick().saturating_add(self.conf.ttl.mul_f64(1.05).as_nanos() as u64);
        let mut wait = self.conf.back_off;
        while clock::tick() < expired && self.lifecycle.pause(wait).await {
            if self.remove(key).await {
                return;
            }
            wait = (wait * 2).min(self.conf.back_off * 16);
        }
        tracing::warn!(cache = self.name, "a change may not be seen by others before its row expires");
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn doom(&mut self, key: &str) {
        *self.doomed.entry(key.to_owned()).or_default() += 1;
    }

    fn pardon(&mut self, key: &str) {
        match self.doomed.get_mut(key) {
            Some(deletes) if *deletes > 1 => *deletes -= 1,
            _ => drop(self.doomed.remove(key)),
        }
    }
}

/// Ends a flight, also where its load panicked.
struct Landing<'a, T> {
    cache: &'a Inner<T>,
    key: &'a str,
    tell: &'a watch::Sender<Option<Landed<T>>>,
}

impl<T> Drop for Landing<'_, T> {
    fn drop(&mut self) {
        let mut state = self.cache.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A delete may have made room for a younger one.
        if state.flights.get(self.key).is_some_and(|flight| flight.same_channel(&self.tell.subscribe())) {
            state.flights.remove(self.key);
        }
    }
}

fn jittered(ttl: Duration) -> Duration {
    ttl.mul_f64(0.95 + fastrand::f64() / 10.0)
}

/// The error of a load, for each of those who waited for it.
fn again(error: Arc<Error>) -> Error {
    let one = Error::new(error.code(), error.reason().to_owned(), error.message().to_owned());
    let one = match error.retry() {
        Some(after) => one.retry_after(after),
        None => one,
    };
    one.caused_by(error)
}
