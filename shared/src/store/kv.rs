//! Key-value: texts and hashes that expire. `memory://name` is one store for the whole process, gone with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::error::{BoxError, Result};

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
            Some(("memory", name)) => Ok(Kv::Memory(Memory::named(name))),
            _ => Err(format!("`{url}` is no key-value store; write memory://name").into()),
        }
    }

    pub async fn get(&self, key: &str) -> Result<Option<String>> {
        let Kv::Memory(memory) = self;
        Ok(memory.live(key, |value| match value {
            Value::Text(text) => Some(text.clone()),
            Value::Hash(_) => None,
        }))
    }

    pub async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        let Kv::Memory(memory) = self;
        memory.put(key, Value::Text(value.to_owned()), ttl);
        Ok(())
    }

    /// `true` where the key was not there: of several who try at once, one gets it.
    pub async fn add(&self, key: &str, value: &str, ttl: Duration) -> Result<bool> {
        let Kv::Memory(memory) = self;
        Ok(memory.add(key, Value::Text(value.to_owned()), ttl))
    }

    pub async fn delete(&self, key: &str) -> Result<()> {
        let Kv::Memory(memory) = self;
        memory.lock().remove(key);
        Ok(())
    }

    /// All fields of a hash, sorted; empty where there is none.
    pub async fn fields(&self, key: &str) -> Result<BTreeMap<String, String>> {
        let Kv::Memory(memory) = self;
        Ok(memory
            .live(key, |value| match value {
                Value::Hash(fields) => Some(fields.clone()),
                Value::Text(_) => None,
            })
            .unwrap_or_default())
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
        Ok(memory.set_field(key, field, value, most, ttl))
    }

    pub async fn delete_fields(&self, key: &str, fields: &[&str]) -> Result<()> {
        let Kv::Memory(memory) = self;
        if let Some(Entry { value: Value::Hash(hash), .. }) = memory.lock().get_mut(key) {
            for field in fields {
                hash.remove(*field);
            }
        }
        Ok(())
    }

    /// Deletes those of the fields that still have these values; what was set to another one since is not touched.
    pub async fn delete_unchanged(&self, key: &str, fields: &[(&str, &str)]) -> Result<()> {
        let Kv::Memory(memory) = self;
        if let Some(Entry { value: Value::Hash(hash), .. }) = memory.lock().get_mut(key) {
            for (field, value) in fields {
                if hash.get(*field).is_some_and(|now| now == value) {
                    hash.remove(*field);
                }
            }
        }
        Ok(())
    }
}

/// The store inside the process. What has expired goes when it is asked for, or when the next sweep meets it.
#[derive(Default)]
pub struct Memory {
    entries: Mutex<HashMap<String, Entry>>,
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

/// A sweep at every such many keys keeps the dead from filling the memory.
const SWEEP: usize = 1024;

impl Memory {
    fn named(name: &str) -> Arc<Memory> {
        let mut by_name = BY_NAME.lock().unwrap_or_else(PoisonError::into_inner);
        by_name.entry(name.to_owned()).or_default().clone()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live<T>(&self, key: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let entries = self.lock();
        let entry = entries.get(key).filter(|entry| clock::tick() < entry.until)?;
        read(&entry.value)
    }

    fn put(&self, key: &str, value: Value, ttl: Duration) {
        let now = clock::tick();
        let mut entries = self.lock();
        entries.insert(key.to_owned(), Entry { value, until: until(now, ttl) });
        if entries.len().is_multiple_of(SWEEP) {
            entries.retain(|_, entry| now < entry.until);
        }
    }

    fn add(&self, key: &str, value: Value, ttl: Duration) -> bool {
        let now = clock::tick();
        let mut entries = self.lock();
        if entries.get(key).is_some_and(|entry| now < entry.until) {
            return false;
        }
        entries.insert(key.to_owned(), Entry { value, until: until(now, ttl) });
        true
    }

    fn set_field(&self, key: &str, field: &str, value: &str, most: usize, ttl: Duration) -> Result<(), Full> {
        let now = clock::tick();
        let mut entries = self.lock();
        if entries.get(key).is_some_and(|entry| now >= entry.until) {
            entries.remove(key);
        }
        let fresh = || Entry { value: Value::Hash(BTreeMap::new()), until: 0 };
        let entry = entries.entry(key.to_owned()).or_insert_with(fresh);
        if let Value::Text(_) = entry.value {
            entry.value = Value::Hash(BTreeMap::new());
        }
        let Value::Hash(fields) = &mut entry.value else { return Ok(()) };
        if fields.len() >= most && !fields.contains_key(field) {
            return Err(Full);
        }
        fields.insert(field.to_owned(), value.to_owned());
        entry.until = until(now, ttl);
        Ok(())
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
    async fn only_one_adds() {
        let kv = Kv::open("memory://add").unwrap();
        assert!(kv.add("key", "1", MINUTE).await.unwrap());
        assert!(!kv.add("key", "2", MINUTE).await.unwrap());
        assert_eq!(kv.get("key").await.unwrap().as_deref(), Some("1"));
    }
}
