//! Who is alive: registering an address under a key, and watching the addresses of a key.
//!
//! `memory://name` is one registry for the whole process, `fixed://host:port,host:port` a list that never changes.

mod memory;

use std::sync::Arc;

use tokio::sync::watch;

/// The addresses of a key, `host:port`, sorted. A receiver sees the newest list and is told when it changes.
pub type Addresses = Arc<Vec<String>>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is no registry; write memory://name or fixed://host:port,…")]
    Unknown(String),
    #[error("a fixed list of addresses cannot be registered in")]
    Fixed,
}

/// Cheap to clone; the URL in the configuration chooses.
#[derive(Clone)]
pub enum Registry {
    Memory(Arc<memory::Registry>),
    Fixed(Addresses),
}

/// An address is listed for as long as this lives.
pub struct Registration(#[expect(dead_code, reason = "held for its Drop")] memory::Entry);

impl Registry {
    pub fn open(url: &str) -> Result<Registry, Error> {
        match url.split_once("://") {
            Some(("memory", name)) => Ok(Registry::Memory(memory::Registry::named(name))),
            Some(("fixed", list)) => {
                let mut addresses: Vec<String> = list.split(',').map(|one| one.trim().to_owned()).collect();
                addresses.retain(|address| !address.is_empty());
                addresses.sort();
                addresses.dedup();
                if addresses.is_empty() {
                    return Err(Error::Unknown(url.to_owned()));
                }
                Ok(Registry::Fixed(Arc::new(addresses)))
            }
            _ => Err(Error::Unknown(url.to_owned())),
        }
    }

    pub async fn register(&self, key: &str, address: &str) -> Result<Registration, Error> {
        match self {
            Registry::Memory(registry) => Ok(Registration(registry.add(key, address))),
            Registry::Fixed(_) => Err(Error::Fixed),
        }
    }

    pub async fn watch(&self, key: &str) -> Result<watch::Receiver<Addresses>, Error> {
        match self {
            Registry::Memory(registry) => Ok(registry.watch(key)),
            Registry::Fixed(addresses) => Ok(watch::channel(addresses.clone()).1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_come_and_go() {
        let registry = Registry::open("memory://come-and-go").unwrap();
        let mut seen = registry.watch("order.rpc").await.unwrap();
        assert!(seen.borrow_and_update().is_empty());
        let first = registry.register("order.rpc", "127.0.0.1:2").await.unwrap();
        let again = Registry::open("memory://come-and-go").unwrap();
        let second = again.register("order.rpc", "127.0.0.1:1").await.unwrap();
        seen.changed().await.unwrap();
        assert_eq!(**seen.borrow_and_update(), ["127.0.0.1:1", "127.0.0.1:2"]);
        drop(first);
        assert_eq!(**seen.borrow_and_update(), ["127.0.0.1:1"]);
        drop(second);
        assert!(registry.watch("order.rpc").await.unwrap().borrow().is_empty());
        assert!(registry.watch("user.rpc").await.unwrap().borrow().is_empty());
    }

    #[tokio::test]
    async fn a_fixed_list_is_what_it_says() {
        let registry = Registry::open("fixed://b:2, a:1").unwrap();
        assert_eq!(**registry.watch("any").await.unwrap().borrow(), ["a:1", "b:2"]);
        assert!(matches!(registry.register("any", "c:3").await, Err(Error::Fixed)));
        for bad in ["zookeeper://x", "fixed://", "fixed:// ,"] {
            assert!(matches!(Registry::open(bad), Err(Error::Unknown(_))), "{bad}");
        }
    }
}
