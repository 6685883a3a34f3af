//! Key-value: texts and hashes that expire. `memory://name` is one store for the whole process, gone with it;
//! `memory://name?most=1000` puts some keys out where a new one would be one too many.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::form_urlencoded;

use crate::clock;
use crate::error::{BoxError, Error, Result};

/// Cheap to clone; the URL in the configuration chooses. Methods may fail, since another kind of store may be away.
#[derive(Clone)]
pub enum Kv {
    Memory(Arc<Memory>),
}

/// A hash is full: a new field would be one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Kv {
    pub fn open(url: &str) -> Result<Kv, BoxError> {
        match url.split_once("://") {
            Some(("memory", rest)) => Ok(Kv::Memory(Memory::open(rest)?)),
            _ => Err(format!("`{url}` is no key-value store; write memory://name").into()),
        }
    }

    pub async fn get(&self, key: &str) -> Result<Option<String>> {
        let Kv::Memory(memory) = self;
        Ok(memory.lock()?.text(key))
    }

    pub async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        let Kv::Memory(memory) = self;
        memory.lock()?.put(key, value, ttl);
        Ok(())
    }

    /// `true` where the key was not there: of several who try at once, one gets it.
    pub async fn add(&self, key: &str, value: &str, ttl: Duration) -> Result<bool> {
        let Kv::Memory(memory) = self;
        let mut memory = memory.lock()?;
        let free = memory.live(key).is_none();
        if free {
            memory.put(key, value, ttl);
        }
        Ok(free)
    }

    /// Puts `new` in the place of `old`, or nothing where it is `None`; `false` where `old` does not stand there any more.
    pub async fn swap(&self, key: &str, old: &str, new: Option<&str>, ttl: Duration) -> Result<bool> {
        let Kv::Memory(memory) = self;
        let mut memory = memory.lock()?;
        let stands = memory.text(key).is_some_and(|text| text == old);
        match new {
            Some(new) if stands => memory.put(key, new, ttl),
            None if stands => memory.remove(key),
            _ => {}
        }
        Ok(stands)
    }

    pub async fn delete(&self, key: &str) -> Result<()> {
        let Kv::Memory(memory) = self;
        memory.lock()?.remove(key);
        Ok(())
    }

    /// All fields of a hash, sorted; empty where there is none.
    pub async fn fields(&self, key: &str) -> Result<BTreeMap<String, String>> {
        let Kv::Memory(memory) = self;
        Ok(match memory.lock()?.live(key) {
            Some(Value::Hash(fields)) => fields.clone(),
            _ => BTreeMap::new(),
        })
    }

    /// Sets a field, unless it is new and the hash has `most` already. The whole hash lives `ttl` from now.
    pub async fn set_field(
        &self,
        key: &str,
        field: &str,
        value: &str,
        most: usize,
        ttl: Duration,
    ) -> Result<Result<(), Full>> {
        let Kv::Memory(memory) = self;
        Ok(memory.lock()?.set_field(key, field, value, most, ttl))
    }

    pub async fn delete_fields(&self, key: &str, fields: &[&str]) -> Result<()> {
        let Kv::Memory(memory) = self;
        memory.lock()?.remove_fields(key, |field, _| fields.contains(&field));
        Ok(())
    }

    /// Deletes those of the fields that still have these values; what was set to another one since is not touched.
    pub async fn delete_unchanged(&self, key: &str, fields: &[(&str, &str)]) -> Result<()> {
        let Kv::Memory(memory) = self;
        memory.lock()?.remove_fields(key, |field, value| fields.contains(&(field, value)));
        Ok(())
    }

    /// Whether every access fails from now on, as where a server is away.
    #[cfg(feature = "testing")]
    pub fn set_away(&self, away: bool) {
        let Kv::Memory(memory) = self;
        memory.away.store(away, Ordering::SeqCst);
    }
}

/// The store inside the process.
#[derive(Default)]
pub struct Memory {
    entries: Mutex<Entries>,
    away: AtomicBool,
}

/// What has expired is not seen any more, and goes at the next sweep.
struct Entries {
    by_key: HashMap<String, Entry>,
    most: usize,
    /// The number of keys at which to sweep.
    full: usize,
}

struct Entry {
    value: Value,
    /// A tick.
    until: u64,
}

enum Value {
    Text(String),
    Hash(BTreeMap<String, String>),
}

static BY_NAME: LazyLock<Mutex<HashMap<String, Arc<Memory>>>> = LazyLock::new(Mutex::default);

/// Fewer keys are not worth a sweep.
const SWEEP: usize = 1024;

impl Memory {
    fn open(rest: &str) -> Result<Arc<Memory>, BoxError> {
        let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut most = None;
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*key, value.parse()) {
                ("most", Ok(number)) if number > 0 => most = Some(number),
                _ => {
                    return Err(
                        format!("memory://{rest}: `{key}={value}` is not known; write most=1000").into()
                    );
                }
            }
        }
        let mut by_name = BY_NAME.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = by_name.entry(name.to_owned()).or_default().clone();
        if let Some(most) = most {
            memory.lock()?.most = most;
        }
        Ok(memory)
    }

    fn lock(&self) -> Result<MutexGuard<'_, Entries>> {
        if self.away.load(Ordering::Relaxed) {
            return Err(Error::unavailable("the key-value store is away"));
        }
        Ok(self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Entries {
    fn default() -> Entries {
        Entries { by_key: HashMap::new(), most: usize::MAX, full: SWEEP }
    }
}

impl Entries {
    fn live(&self, key: &str) -> Option<&Value> {
        let now = clock::tick();
        self.by_key.get(key).filter(|entry| now < entry.until).map(|entry| &entry.value)
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.live(key) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn put(&mut self, key: &str, text: &str, ttl: Duration) {
        self.entry(key, ttl).value = Value::Text(text.to_owned());
    }

    fn remove(&mut self, key: &str) {
        self.by_key.remove(key);
    }

    fn remove_fields(&mut self, key: &str, which: impl Fn(&str, &str) -> bool) {
        let Some(Entry { value: Value::Hash(fields), .. }) = self.by_key.get_mut(key) else { return };
        fields.retain(|field, value| !which(field, value));
        if fields.is_empty() {
            self.remove(key);
        }
    }

    fn set_field(
        &mut self,
        key: &str,
        field: &str,
        value: &str,
        most: usize,
        ttl: Duration,
    ) -> Result<(), Full> {
        let fields = match self.live(key) {
            Some(Value::Hash(fields)) => fields,
            _ => &BTreeMap::new(),
        };
        if fields.len() >= most && !fields.contains_key(field) {
            return Err(Full);
        }
        let expired = self.live(key).is_none();
        let entry = self.entry(key, ttl);
        if expired || !matches!(entry.value, Value::Hash(_)) {
            entry.value = Value::Hash(BTreeMap::new());
        }
        if let Value::Hash(fields) = &mut entry.value {
            fields.insert(field.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// The key's entry, from now on for `ttl`; an empty text where it is new.
    fn entry(&mut self, key: &str, ttl: Duration) -> &mut Entry {
        if !self.by_key.contains_key(key) {
            self.make_room();
        }
        let fresh = || Entry { value: Value::Text(String::new()), until: 0 };
        let entry = self.by_key.entry(key.to_owned()).or_insert_with(fresh);
        entry.until = until(clock::tick(), ttl);
        entry
    }

    /// Twice as many keys are swept half as often, so that a key pays the same however many there are.
    fn make_room(&mut self) {
        if self.by_key.len() >= self.full {
            let now = clock::tick();
            self.by_key.retain(|_, entry| now < entry.until);
            self.full = SWEEP.max(2 * self.by_key.len()).min(self.most.max(SWEEP));
        }
        if self.by_key.len() >= self.most {
            // Some by chance, and many at once: who they are cannot be chosen without looking at all of them.
            let keep = self.most - self.most.div_ceil(4);
            let mut left = self.by_key.len();
            self.by_key.retain(|_, _| {
                let stays = left <= keep || fastrand::usize(..4) != 0;
                left -= usize::from(!stays);
                stays
            });
            // Chance may have spared all.
            if self.by_key.len() >= self.most
                && let Some(unlucky) = self.by_key.keys().next().cloned()
            {
                self.remove(&unlucky);
            }
        }
    }
}

fn until(now: u64, ttl: Duration) -> u64 {
    now.saturating_add(u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn texts_and_hashes_expire() {
        let kv = Kv::open("memory://expire").unwrap();
        kv.set("text", "1", MINUTE).await.unwrap();
        assert_eq!(kv.set_field("hash", "a", "1", 2, MINUTE).await.unwrap(), Ok(()));
        tokio::time::advance(MINUTE / 2).await;
        assert_eq!(kv.set_field("hash", "b", "2", 2, MINUTE).await.unwrap(), Ok(()));
        assert_eq!(kv.get("text").await.unwrap().as_deref(), Some("1"));
        tokio::time::advance(MINUTE / 2).await;
        assert_eq!(kv.get("text").await.unwrap(), None);
        assert_eq!(kv.fields("hash").await.unwrap().len(), 2);
        tokio::time::advance(MINUTE / 2).await;
        assert!(kv.fields("hash").await.unwrap().is_empty());
        assert_eq!(kv.set_field("hash", "c", "3", 2, MINUTE).await.unwrap(), Ok(()));
        assert_eq!(kv.fields("hash").await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_full_hash_takes_changes_but_no_new_fields() {
        let kv = Kv::open("memory://full").unwrap();
        for field in ["a", "b"] {
            kv.set_field("hash", field, "1", 2, MINUTE).await.unwrap().unwrap();
        }
        assert_eq!(kv.set_field("hash", "c", "1", 2, MINUTE).await.unwrap(), Err(Full));
        assert_eq!(kv.set_field("hash", "b", "2", 2, MINUTE).await.unwrap(), Ok(()));
        kv.delete_fields("hash", &["a", "x"]).await.unwrap();
        assert_eq!(
            kv.fields("hash").await.unwrap().into_iter().collect::<Vec<_>>(),
            [("b".into(), "2".into())]
        );
        kv.delete("hash").await.unwrap();
        assert!(kv.fields("hash").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_field_that_was_changed_since_stays() {
        let kv = Kv::open("memory://unchanged").unwrap();
        for (field, value) in [("a", "1"), ("b", "2"), ("c", "3")] {
            kv.set_field("hash", field, value, 9, MINUTE).await.unwrap().unwrap();
        }
        kv.delete_unchanged("hash", &[("a", "1"), ("b", "1"), ("x", "1")]).await.unwrap();
        let left: Vec<String> = kv.fields("hash").await.unwrap().into_keys().collect();
        assert_eq!(left, ["b", "c"]);
        kv.delete_unchanged("nothing", &[("a", "1")]).await.unwrap();
    }

    #[tokio::test]
    async fn a_swap_changes_what_it_saw_and_nothing_else() {
        let kv = Kv::open("memory://swap").unwrap();
        assert!(!kv.swap("key", "1", Some("2"), MINUTE).await.unwrap());
        kv.set("key", "1", MINUTE).await.unwrap();
        assert!(kv.swap("key", "1", Some("2"), MINUTE).await.unwrap());
        assert!(!kv.swap("key", "1", None, MINUTE).await.unwrap());
        assert_eq!(kv.get("key").await.unwrap().as_deref(), Some("2"));
        assert!(kv.swap("key", "2", None, MINUTE).await.unwrap());
        assert_eq!(kv.get("key").await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_dead_are_swept_and_a_full_store_puts_something_out() {
        let kv = Kv::open("memory://bounded?most=3000").unwrap();
        let Kv::Memory(memory) = &kv;
        let keys = || memory.lock().unwrap().by_key.len();
        for round in 0..10 {
            for n in 0..2000 {
                kv.set(&format!("{round}/{n}"), "", MINUTE).await.unwrap();
            }
            tokio::time::advance(MINUTE).await;
            assert!(keys() <= 3000, "{} keys", keys());
        }
        for n in 0..10_000 {
            kv.add(&n.to_string(), "", MINUTE).await.unwrap();
        }
        assert!((2000..=3000).contains(&keys()), "{} keys", keys());
        let one = Kv::open("memory://bounded-one?most=1").unwrap();
        for key in ["a", "b"] {
            one.set(key, "", MINUTE).await.unwrap();
            assert_eq!(one.get(key).await.unwrap().as_deref(), Some(""));
        }
        assert_eq!(one.get("a").await.unwrap(), None);
        assert_eq!(kv.get("9999").await.unwrap().as_deref(), Some(""));
        assert!(
            Kv::open("memory://bounded?most=0").is_err() && Kv::open("memory://bounded?least=1").is_err()
        );
    }

    #[tokio::test]
    async fn only_one_adds() {
        let kv = Kv::open("memory://add").unwrap();
        assert!(kv.add("key", "1", MINUTE).await.unwrap());
        assert!(!kv.add("key", "2", MINUTE).await.unwrap());
        assert_eq!(kv.get("key").await.unwrap().as_deref(), Some("1"));
    }
}
