//! Events: the outbox they leave by, the queue that carries them, the inbox that takes each once.
//!
//! `memory://name?groups=a,b` is one queue for the whole process. It keeps nothing: an event counts as published when
//! every group that the URL names has acknowledged its effect, so what was under way in a crash is still in the outbox.

pub mod consumer;
mod event;
mod memory;
pub mod outbox;
pub mod sent;

use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::{broadcast, oneshot};

pub use event::Event;

use crate::error::BoxError;

/// `Queue:` in a configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Conf {
    pub url: String,
    pub consumer: consumer::Conf,
    pub relay: outbox::Conf,
}

/// Cheap to clone; the URL in the configuration chooses.
#[derive(Clone)]
pub enum Queue {
    Memory(memory::Client),
}

/// Why an event is not published; it stays in the outbox, and is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the group {0} has not acknowledged the event")]
    Unacknowledged(String),
}

impl Queue {
    pub fn open(url: &str) -> Result<Queue, BoxError> {
        match url.split_once("://") {
            Some(("memory", rest)) => Ok(Queue::Memory(memory::Client::open(rest)?)),
            _ => Err(format!("`{url}` is no queue; write memory://name?groups=…").into()),
        }
    }

    /// Returns when the event is safe: the queue, or every group, answers for it.
    pub async fn publish(&self, topic: &str, event: Event) -> Result<(), Error> {
        let Queue::Memory(memory) = self;
        memory.publish(topic, Arc::new(event)).await
    }

    /// Joins a group: each event goes to one member, and comes again until it is acknowledged.
    pub async fn subscribe(&self, topic: &str, group: &str) -> Subscription {
        let Queue::Memory(memory) = self;
        Subscription(memory.subscribe(topic, group))
    }

    /// Hears what is published from now on; nothing waits for this listener.
    pub async fn listen(&self, topic: &str) -> Listener {
        let Queue::Memory(memory) = self;
        Listener(memory.listen(topic))
    }
}

/// A member of a group. Dropped, it leaves.
pub struct Subscription(Arc<memory::Group>);

impl Subscription {
    /// `None` when the queue has ended.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.0.next().await
    }
}

/// An event, and the way to say that its effect is done. Dropped without that, it comes again.
pub struct Delivery {
    pub event: Arc<Event>,
    done: oneshot::Sender<()>,
}

impl Delivery {
    pub fn acknowledge(self) {
        // Nobody waits any more: the event will come again, and the inbox knows it.
        self.done.send(()).ok();
    }

    /// Its publisher waits no more, and so will publish it again.
    pub(crate) fn is_given_up(&self) -> bool {
        self.done.is_closed()
    }
}

pub struct Listener(broadcast::Receiver<Arc<Event>>);

/// What a listener hears.
pub enum Heard {
    Event(Arc<Event>),
    /// It was too slow, and does not know what it missed.
    Missed,
    Ended,
}

impl Listener {
    pub async fn next(&mut self) -> Heard {
        match self.0.recv().await {
            Ok(event) => Heard::Event(event),
            Err(broadcast::error::RecvError::Lagged(_)) => Heard::Missed,
            Err(broadcast::error::RecvError::Closed) => Heard::Ended,
        }
    }
}
