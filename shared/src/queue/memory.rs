//! The queue inside the process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, mpsc, oneshot};
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
    groups: Mutex<HashMap<String, Arc<Group>>>,
    listeners: broadcast::Sender<Arc<Event>>,
}

impl Default for Topic {
    fn default() -> Topic {
        Topic { groups: Mutex::default(), listeners: broadcast::Sender::new(BEHIND) }
    }
}

/// Its members share what waits. While it has none, publishers wait until they give up.
pub(super) struct Group {
    into: mpsc::Sender<Delivery>,
    waiting: tokio::sync::Mutex<mpsc::Receiver<Delivery>>,
}

impl Group {
    /// What nobody waits for any more is passed over: it comes again, and would only be in the way.
    pub(super) async fn next(&self) -> Option<Delivery> {
        let mut waiting = self.waiting.lock().await;
        loop {
            let delivery = waiting.recv().await?;
            if !delivery.is_given_up() {
                return Some(delivery);
            }
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
            let (done, acknowledged) = oneshot::channel();
            let delivery = Delivery { event: event.clone(), done };
            let sent = topic.group(group).into.send(delivery).await;
            sent.map_err(|_| Error::Unacknowledged(group.clone()))?;
            waits.push((group, acknowledged));
        }
        // No listener is no fault.
        topic.listeners.send(event).ok();
        for (group, acknowledged) in waits {
            acknowledged.await.map_err(|_| Error::Unacknowledged(group.clone()))?;
        }
        Ok(())
    }

    pub(super) fn subscribe(&self, topic: &str, group: &str) -> Arc<Group> {
        self.topic(topic).group(group)
    }

    pub(super) fn listen(&self, topic: &str) -> broadcast::Receiver<Arc<Event>> {
        self.topic(topic).listeners.subscribe()
    }
}

impl Topic {
    fn group(&self, name: &str) -> Arc<Group> {
        let fresh = || {
            let (into, waiting) = mpsc::channel(WAITING);
            Arc::new(Group { into, waiting: tokio::sync::Mutex::new(waiting) })
        };
        lock(&self.groups).entry(name.to_owned()).or_insert_with(fresh).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
