//! A registry inside the process: services that live together find each other as they would through etcd.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::sync::watch;

use super::Addresses;

static BY_NAME: LazyLock<Mutex<HashMap<String, Arc<Registry>>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
pub struct Registry {
    keys: Mutex<HashMap<String, Key>>,
}

struct Key {
    next: u64,
    entries: BTreeMap<u64, String>,
    told: watch::Sender<Addresses>,
}

impl Default for Key {
    fn default() -> Key {
        Key { next: 0, entries: BTreeMap::new(), told: watch::Sender::new(Addresses::default()) }
    }
}

impl Key {
    fn tell(&self) {
        let mut addresses: Vec<String> = self.entries.values().cloned().collect();
        addresses.sort();
        addresses.dedup();
        self.told.send_replace(Arc::new(addresses));
    }
}

impl Registry {
    pub(super) fn named(name: &str) -> Arc<Registry> {
        let mut by_name = BY_NAME.lock().unwrap_or_else(PoisonError::into_inner);
        by_name.entry(name.to_owned()).or_default().clone()
    }

    pub(super) fn add(self: &Arc<Registry>, key: &str, address: &str) -> Entry {
        let id = self.change(key, |entry| {
            entry.next += 1;
            entry.entries.insert(entry.next, address.to_owned());
            entry.next
        });
        Entry { registry: self.clone(), key: key.to_owned(), id }
    }

    pub(super) fn watch(&self, key: &str) -> watch::Receiver<Addresses> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.entry(key.to_owned()).or_default().told.subscribe()
    }

    fn change<R>(&self, key: &str, change: impl FnOnce(&mut Key) -> R) -> R {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = keys.entry(key.to_owned()).or_default();
        let changed = change(entry);
        entry.tell();
        changed
    }
}

/// One registered address; it goes with its owner.
pub(super) struct Entry {
    registry: Arc<Registry>,
    key: String,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.change(&self.key, |key| key.entries.remove(&self.id));
    }
}
