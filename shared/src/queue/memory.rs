//! The queue inside the process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use url::form_urlencoded;

use super::{Delivery, Error, Event};
use crate::error::BoxError;

/// Deliveries that wait for a slow group; publishers wait behind them.
const WAITING: usize = 256;
/// Events that a listener may be behind before it misses some.
const BEHIND: usize = 1024;

/// One URL's view of a queue.
#[derive(Clone)]
pub struct Client {
    broker: Arc<Broker>,
    /// Who must acknowledge what is published through this URL.
    groups: Arc<[String]>,
}

#[derive(Default)]
struct Broker {
    topics: Mutex<HashMap<String, Arc<Topic>>>,
}

struct Topic {
    groups: Mutex<HashMap<String, mpsc::Sender<Delivery>>>,
    joined: watch::Sender<()>,
    listeners: broadcast::Sender<Arc<Event>>,
}

impl Default for Topic {
    fn default() -> Topic {
        Topic {
            groups: Mutex::default(),
            joined: watch::Sender::new(()),
            listeners: broadcast::Sender::new(BEHIND),
        }
    }
}

static BY_NAME: LazyLock<Mutex<HashMap<String, Arc<Broker>>>> = LazyLock::new(Mutex::default);

impl Client {
    pub(super) fn open(rest: &str) -> Result<Client, BoxError> {
        let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut groups = Vec::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if key != "groups" {
                return Err(format!("memory://{rest}: unknown parameter `{key}`; write groups=a,b").into());
            }
            groups.extend(value.split(',').filter(|group| !group.is_empty()).map(str::to_owned));
        }
        let broker = lock(&BY_NAME).entry(name.to_owned()).or_default().clone();
        Ok(Client { broker, groups: groups.into() })
    }

    fn topic(&self, topic: &str) -> Arc<Topic> {
        lock(&self.broker.topics).entry(topic.to_owned()).or_default().clone()
    }

    pub(super) async fn publish(&self, topic: &str, event: Arc<Event>) -> Result<(), Error> {
        let topic = self.topic(topic);
        let mut waits = Vec::with_capacity(self.groups.len());
        for group in &*self.groups {
            let members = topic.group(group).await;
            let (done, acknowledged) = oneshot::channel();
            let delivery = Delivery { event: event.clone(), done };
            members.send(delivery).await.map_err(|_| Error::Unacknowledged(group.clone()))?;
            waits.push((group, acknowledged));
        }
        // No listener is no fault.
        topic.listeners.send(event).ok();
        for (group, acknowledged) in waits {
            acknowledged.await.map_err(|_| Error::Unacknowledged(group.clone()))?;
        }
        Ok(())
    }

    pub(super) fn subscribe(&self, topic: &str, group: &str) -> mpsc::Receiver<Delivery> {
        let (members, deliveries) = mpsc::channel(WAITING);
        let topic = self.topic(topic);
        lock(&topic.groups).insert(group.to_owned(), members);
        topic.joined.send_replace(());
        deliveries
    }

    pub(super) fn listen(&self, topic: &str) -> broadcast::Receiver<Arc<Event>> {
        self.topic(topic).listeners.subscribe()
    }
}

impl Topic {
    /// Waits for the group to be there; the publisher's deadline ends the wait.
    async fn group(&self, name: &str) -> mpsc::Sender<Delivery> {
        let mut joined = self.joined.subscribe();
        loop {
            joined.borrow_and_update();
            if let Some(members) = lock(&self.groups).get(name).filter(|members| !members.is_closed()) {
                return members.clone();
            }
            // The sender lives in `self`.
            joined.changed().await.ok();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
