//! Cache-aside: one load for many, nothing stale after a delete, and a store that is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use shared::error::{Code, Error, Result};
use shared::lifecycle::Lifecycle;
use shared::pipeline::ambient::{self, Ambient};
use shared::store::cache::{Cache, Conf};
use shared::store::kv::Kv;
use shared::telemetry::metrics;
use shared::telemetry::trace::Ids;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use crate::world;

const SECOND: Duration = Duration::from_secs(1);

/// A row in a database that counts who reads it.
#[derive(Clone)]
struct Row {
    version: Arc<AtomicU64>,
    reads: Arc<AtomicUsize>,
}

impl Row {
    fn new() -> Row {
        Row { version: Arc::new(AtomicU64::new(1)), reads: Arc::default() }
    }

    fn load(&self) -> impl Future<Output = Result<Option<u64>>> + Send + use<> {
        let this = self.clone();
        async move {
            this.reads.fetch_add(1, Ordering::SeqCst);
            let version = this.version.load(Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok((version > 0).then_some(version))
        }
    }

    /// A load that has read the row when it tells so, and returns it when it may.
    fn slow(
        &self,
        read: &Arc<Notify>,
        go: &Arc<Notify>,
    ) -> impl Future<Output = Result<Option<u64>>> + Send + use<> {
        let (load, read, go) = (self.load(), read.clone(), go.clone());
        async move {
            let row = load.await;
            read.notify_one();
            go.notified().await;
            row
        }
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

fn conf(url: &str) -> Conf {
    Conf { url: format!("memory://{url}"), ..Conf::default() }
}

fn cache(url: &str) -> (Cache<u64>, Lifecycle) {
    let lifecycle = world::lifecycle();
    (Cache::try_new("test", &conf(url), &lifecycle).unwrap(), lifecycle)
}

#[tokio::test(start_paused = true)]
async fn a_row_is_read_once_until_it_expires() {
    let (cache, _lifecycle) = cache("cache-once");
    let row = Row::new();
    for _ in 0..3 {
        assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(1));
    }
    assert_eq!(row.reads(), 1);
    tokio::time::advance(SECOND * 631).await;
    assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(1));
    assert_eq!(row.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_filled_together_does_not_end_together() {
    let (cache, _lifecycle) = cache("cache-jitter");
    let kept = async |row: &Row| {
        for key in 0..100 {
            cache.get_or_load(&key.to_string(), row.load()).await.unwrap();
        }
        100 - row.reads()
    };
    kept(&Row::new()).await;
    tokio::time::advance(SECOND * 569).await;
    assert_eq!(kept(&Row::new()).await, 100, "none before 95 % of its time");
    tokio::time::advance(SECOND * 31).await;
    let half = kept(&Row::new()).await;
    assert!((20..=80).contains(&half), "{half} of 100 at their time");
    let fresh = self::cache("cache-jitter-end").0;
    let row = Row::new();
    for key in 0..100 {
        fresh.get_or_load(&key.to_string(), row.load()).await.unwrap();
    }
    tokio::time::advance(SECOND * 631).await;
    for key in 0..100 {
        fresh.get_or_load(&key.to_string(), row.load()).await.unwrap();
    }
    assert_eq!(row.reads(), 200, "none after 105 %");
}

#[tokio::test(start_paused = true)]
async fn that_there_is_no_row_is_known_for_a_short_while() {
    let (cache, _lifecycle) = cache("cache-absent");
    let row = Row::new();
    row.version.store(0, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), None);
    }
    assert_eq!(row.reads(), 1);
    row.version.store(1, Ordering::SeqCst);
    tokio::time::advance(SECOND * 11).await;
    assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(1));
    // Who makes a row deletes its place: nobody waits for the placeholder to expire.
    row.version.store(0, Ordering::SeqCst);
    cache.get_or_load("b", row.load()).await.unwrap();
    row.version.store(1, Ordering::SeqCst);
    cache.delete("b").await;
    assert_eq!(cache.get_or_load("b", row.load()).await.unwrap(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_miss_at_once_one_loads() {
    let (cache, _lifecycle) = cache("cache-flight");
    let (row, read, go) = (Row::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (cache, load) = (cache.clone(), row.slow(&read, &go));
        callers.spawn(async move { cache.get_or_load("a", load).await.unwrap() });
    }
    read.notified().await;
    go.notify_one();
    assert!(callers.join_all().await.into_iter().all(|row| row == Some(1)));
    assert_eq!(row.reads(), 1);
}

#[tokio::test]
async fn a_load_outlives_its_first_caller_and_its_deadline_but_not_its_trace() {
    let (cache, lifecycle) = cache("cache-outlives");
    let (row, read, go) = (Row::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let ids = Ids::root();
    let seen = Arc::new(std::sync::Mutex::new(None));
    let (slow, noted) = (row.slow(&read, &go), seen.clone());
    let load = async move {
        *noted.lock().unwrap() = ambient::current();
        slow.await
    };
    let around = Ambient { ids, deadline: Some(1), service: "gateway" };
    tokio::select! {
        _ = ambient::scope(around, cache.get_or_load("a", load)) => panic!("it is not loaded yet"),
        () = read.notified() => {}
    }
    let around = seen.lock().unwrap().unwrap();
    assert_eq!((around.ids, around.deadline, around.service), (ids, None, "test"));
    let second = tokio::join!(cache.get_or_load("a", row.load()), async { go.notify_one() }).0;
    assert_eq!((second.unwrap(), row.reads()), (Some(1), 1));
    lifecycle.stop().await;
}

#[tokio::test]
async fn a_fill_that_began_before_a_delete_does_not_land() {
    let (cache, _lifecycle) = cache("cache-stale");
    // Another process, with the same store.
    let (other, _other) = self::cache("cache-stale");
    for deleter in [&cache, &other] {
        let (row, read, go) = (Row::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let old = tokio::join!(cache.get_or_load("a", row.slow(&read, &go)), async {
            read.notified().await;
            row.version.store(2, Ordering::SeqCst);
            deleter.delete("a").await;
            // Who comes after the delete does not get what was loaded before.
            assert_eq!(deleter.get_or_load("a", row.load()).await.unwrap(), Some(2));
            go.notify_one();
        });
        assert_eq!(old.0.unwrap(), Some(1), "it asked before the change");
        assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(2));
        assert_eq!(other.get_or_load("a", row.load()).await.unwrap(), Some(2));
        assert_eq!(row.reads(), 2);
        deleter.delete("a").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_reads_what_was_deleted_before_he_asked() {
    let (cache, _lifecycle) = cache("cache-race");
    let (other, _other) = self::cache("cache-race");
    let (row, committed) = (Row::new(), Arc::new(AtomicU64::new(1)));
    let over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for reader in 0..6 {
        let (row, committed, over) = (row.clone(), committed.clone(), over.clone());
        // Readers of another process may see what is old by one load, and must leave nothing behind.
        let (cache, own) = if reader < 4 { (cache.clone(), true) } else { (other.clone(), false) };
        readers.spawn(async move {
            while !over.load(Ordering::SeqCst) {
                let before = committed.load(Ordering::SeqCst);
                let seen = cache.get_or_load("a", row.load()).await.unwrap().unwrap();
                assert!(!own || seen >= before, "{seen} after {before} was committed and deleted");
                // A hit never waits, and would keep its thread.
                tokio::task::yield_now().await;
            }
        });
    }
    for version in 2..3000 {
        row.version.store(version, Ordering::SeqCst);
        cache.delete("a").await;
        committed.store(version, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
    over.store(true, Ordering::SeqCst);
    readers.join_all().await;
    for cache in [cache, other] {
        assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(2999), "nothing old stays");
    }
    assert!(row.reads() < 100_000);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_costs_a_few_loads_at_once_and_no_read() {
    let kv = Kv::open("memory://cache-away").unwrap();
    let (cache, _lifecycle) = cache("cache-away");
    kv.set_away(true);
    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for key in 0..100 {
        let (cache, at_once, most) = (cache.clone(), at_once.clone(), most.clone());
        callers.spawn(async move {
            let load = async move {
                most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
                at_once.fetch_sub(1, Ordering::SeqCst);
                Ok(Some(7))
            };
            cache.get_or_load(&key.to_string(), load).await.unwrap()
        });
    }
    assert!(callers.join_all().await.into_iter().all(|row| row == Some(7)));
    assert_eq!(most.load(Ordering::SeqCst), 8);
    kv.set_away(false);
    let row = Row::new();
    cache.get_or_load("a", row.load()).await.unwrap();
    cache.get_or_load("a", row.load()).await.unwrap();
    assert_eq!(row.reads(), 2, "it is left alone for a while");
    tokio::time::advance(SECOND).await;
    cache.get_or_load("a", row.load()).await.unwrap();
    cache.get_or_load("a", row.load()).await.unwrap();
    assert_eq!(row.reads(), 3, "and then used again");
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_busy_as_well_refuses_the_waiting() {
    let kv = Kv::open("memory://cache-both-away").unwrap();
    let lifecycle = world::lifecycle();
    let conf = Conf { concurrency: 1, ..conf("cache-both-away") };
    let cache: Cache<u64> = Cache::try_new("test", &conf, &lifecycle).unwrap();
    kv.set_away(true);
    let (first, second) = tokio::join!(
        cache.get_or_load("a", std::future::pending()),
        cache.get_or_load("b", std::future::pending())
    );
    assert_eq!(first.unwrap_err().code(), Code::DeadlineExceeded);
    let second = second.unwrap_err();
    assert_eq!((second.code(), second.retry()), (Code::Unavailable, Some(SECOND)));
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_did_not_reach_the_store_is_kept_in_mind_until_it_does() {
    let kv = Kv::open("memory://cache-doomed").unwrap();
    let (cache, lifecycle) = cache("cache-doomed");
    let (other, _other) = self::cache("cache-doomed");
    let row = Row::new();
    cache.get_or_load("a", row.load()).await.unwrap();
    kv.set_away(true);
    row.version.store(2, Ordering::SeqCst);
    // Its caller goes away at once.
    let impatient = tokio::time::timeout(Duration::ZERO, cache.delete("a"));
    impatient.await.ok();
    assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(2));
    // The delete fails once more, and waits longer now than reads do.
    tokio::time::sleep(SECOND * 5 / 2).await;
    kv.set_away(false);
    assert_eq!(other.get_or_load("a", row.load()).await.unwrap(), Some(1), "the old row still stands there");
    assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(2), "and is not read here");
    tokio::time::sleep(SECOND).await;
    assert_eq!(other.get_or_load("a", row.load()).await.unwrap(), Some(2), "the delete came through");
    let reads = row.reads();
    assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(2));
    assert_eq!(row.reads(), reads, "it is in the cache again");
    lifecycle.stop().await;
}

#[tokio::test]
async fn a_load_that_fails_is_told_to_all_and_kept_by_none() {
    let (cache, _lifecycle) = cache("cache-fails");
    let go = Arc::new(Semaphore::new(0));
    let load = |go: &Arc<Semaphore>| {
        let go = go.clone();
        async move {
            go.acquire().await.unwrap().forget();
            Err(Error::new(Code::Conflict, "locked", "not now").retry_after(SECOND).caused_by("a lock"))
        }
    };
    let (a, b, ()) =
        tokio::join!(cache.get_or_load("a", load(&go)), cache.get_or_load("a", load(&go)), async {
            go.add_permits(1)
        });
    for error in [a.unwrap_err(), b.unwrap_err()] {
        assert_eq!((error.reason(), error.retry()), ("locked", Some(SECOND)));
        assert_eq!(error.chain(), "not now (locked): not now (locked): a lock");
    }
    let row = Row::new();
    assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(1));
    cache.get_or_load("a", row.load()).await.unwrap();
    assert_eq!(row.reads(), 1, "the lease was given back");
}

#[tokio::test]
async fn a_load_that_panics_leaves_the_key_free() {
    let (cache, _lifecycle) = cache("cache-panics");
    let broken = cache.get_or_load("a", async { panic!("in the load") }).await;
    assert_eq!(broken.unwrap_err().code(), Code::Internal);
    assert_eq!(cache.get_or_load("a", Row::new().load()).await.unwrap(), Some(1));
}

#[tokio::test]
async fn what_another_version_wrote_and_keys_of_any_length_are_no_trouble() {
    let kv = Kv::open("memory://cache-odd").unwrap();
    let (cache, _lifecycle) = cache("cache-odd");
    for odd in ["", "=", "={\"no\": \"number\"}", "something"] {
        kv.set("test:a", odd, SECOND).await.unwrap();
        let row = Row::new();
        assert_eq!(cache.get_or_load("a", row.load()).await.unwrap(), Some(1), "{odd}");
        cache.get_or_load("a", row.load()).await.unwrap();
        assert_eq!(row.reads(), 1, "{odd}");
    }
    let (long, row) = ("x".repeat(10_000), Row::new());
    cache.get_or_load(&long, row.load()).await.unwrap();
    cache.get_or_load(&long, row.load()).await.unwrap();
    assert_eq!(row.reads(), 2, "a client does not choose what fills the store");
}

#[tokio::test(start_paused = true)]
async fn what_a_look_up_found_is_counted() {
    metrics::start().unwrap();
    let (cache, _lifecycle) = (
        Cache::<u64>::try_new("counted", &conf("cache-counted"), &world::lifecycle()).unwrap(),
        world::lifecycle(),
    );
    let (row, kv) = (Row::new(), Kv::open("memory://cache-counted").unwrap());
    cache.get_or_load("a", row.load()).await.unwrap();
    cache.get_or_load("a", row.load()).await.unwrap();
    cache.get_or_load("a", row.load()).await.unwrap();
    row.version.store(0, Ordering::SeqCst);
    cache.get_or_load("b", row.load()).await.unwrap();
    cache.get_or_load("b", row.load()).await.unwrap();
    kv.set_away(true);
    cache.get_or_load("a", row.load()).await.unwrap();
    let text = metrics::render();
    for (result, count) in [("hit", 2), ("miss", 2), ("absent", 1), ("bypass", 1)] {
        let line = format!("cache_requests_total{{cache=\"counted\",result=\"{result}\"}} {count}");
        assert!(text.contains(&line), "{line} in\n{text}");
    }
}
