//! The hub: one listener on the queue, and every event to those who watch its order. Nobody waits for a slow watcher;
//! it hears that it missed something.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::order::TOPIC;
use proto::order::v1::OrderMoved;
use shared::error::{BoxError, Code, Error, Result};
use shared::lifecycle::Lifecycle;
use shared::pipeline::ambient::{self, Ambient};
use shared::queue::{self, Heard, Queue};
use shared::telemetry::metrics;
use shared::telemetry::trace::Ids;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

use crate::api::types::OrderEvent;
use crate::config::Watch;
use crate::convert;

/// Cheap to clone; all clones are the same hub.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Inner>);

struct Inner {
    /// Orders that nobody watches have no entry.
    by_order: Mutex<HashMap<String, Watched>>,
    behind: usize,
    room: Arc<Semaphore>,
    reads: Semaphore,
}

struct Watched {
    tell: broadcast::Sender<News>,
    watchers: usize,
}

/// What a watcher hears.
#[derive(Clone)]
pub(crate) enum News {
    Moved(OrderEvent),
    /// Some events of this order may not have been heard.
    Missed,
}

impl Hub {
    /// Hears what is published from now on, for as long as the lifecycle lives.
    pub(crate) async fn start(queue: &Queue, conf: &Watch, lifecycle: &Lifecycle) -> Hub {
        let hub = Hub(Arc::new(Inner {
            by_order: Mutex::default(),
            behind: conf.behind,
            room: Arc::new(Semaphore::new(conf.most)),
            reads: Semaphore::new(conf.reads),
        }));
        let mut events = queue.listen(TOPIC).await;
        let (this, owner) = (hub.clone(), lifecycle.clone());
        lifecycle.spawn("hear of orders", async move {
            loop {
                let heard = tokio::select! {
                    heard = events.next() => heard,
                    () = owner.stopping() => return Ok::<(), BoxError>(()),
                };
                match heard {
                    Heard::Event(event) => this.hear(&event, owner.name()),
                    Heard::Missed => this.hear_nothing(),
                    Heard::Ended => return Err("the queue has ended".into()),
                }
            }
        });
        hub
    }

    /// Begins to watch an order; whether it is there and whose it is, is not asked here.
    pub(crate) fn watch(&self, order_id: &str) -> Result<Watcher> {
        let room = self.0.room.clone().try_acquire_owned().map_err(|error| {
            Error::new(Code::Unavailable, "overloaded", "too many orders are watched")
                .retry_after(Duration::from_secs(1))
                .caused_by(error)
        })?;
        let mut by_order = self.lock();
        let watched = by_order
            .entry(order_id.to_owned())
            .or_insert_with(|| Watched { tell: broadcast::Sender::new(self.0.behind), watchers: 0 });
        watched.watchers += 1;
        let news = watched.tell.subscribe();
        Ok(Watcher { hub: self.clone(), order_id: order_id.to_owned(), news, _room: room })
    }

    /// A turn to read a history, after events were missed: then all read at once.
    pub(crate) async fn turn_to_read(&self) -> Result<tokio::sync::SemaphorePermit<'_>> {
        self.0.reads.acquire().await.map_err(Error::internal)
    }

    /// The line belongs to the trace of the request that moved the order.
    fn hear(&self, event: &queue::Event, service: &'static str) {
        let parent = event.traceparent.as_deref().unwrap_or_default();
        let ids = Ids::continued(parent.as_bytes()).unwrap_or_else(Ids::root);
        ambient::within(Ambient { ids, deadline: None, service }, || {
            let (result, news) = match event.read::<OrderMoved>() {
                Ok(moved) => ("done", News::Moved(convert::moved(moved))),
                Err(error) => {
                    tracing::warn!(event = event.id, error = &*error, "an event cannot be read");
                    ("dead", News::Missed)
                }
            };
            let watchers = self.tell(&event.subject, news);
            metrics::consumed(service, result).increment(1);
            tracing::info!(
                event = event.id,
                kind = event.kind,
                subject = event.subject,
                watchers,
                result,
                "consumed"
            );
        });
    }

    /// Returns to how many.
    fn tell(&self, order_id: &str, news: News) -> usize {
        let by_order = self.lock();
        by_order.get(order_id).map_or(0, |watched| watched.tell.send(news).unwrap_or(0))
    }

    /// It may have been about any order.
    fn hear_nothing(&self) {
        let by_order = self.lock();
        tracing::warn!(orders = by_order.len(), "events were missed, watchers read the history");
        for watched in by_order.values() {
            watched.tell.send(News::Missed).ok();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Watched>> {
        self.0.by_order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears of one order for as long as it lives.
pub(crate) struct Watcher {
    hub: Hub,
    order_id: String,
    news: broadcast::Receiver<News>,
    _room: OwnedSemaphorePermit,
}

impl Watcher {
    pub(crate) async fn next(&mut self) -> News {
        match self.news.recv().await {
            Ok(news) => news,
            Err(broadcast::error::RecvError::Lagged(_)) => News::Missed,
            // The hub keeps the sender while there are watchers.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut by_order = self.hub.lock();
        if let Entry::Occupied(mut entry) = by_order.entry(std::mem::take(&mut self.order_id)) {
            entry.get_mut().watchers -= 1;
            if entry.get().watchers == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::lifecycle::Shutdown;

    use super::*;

    async fn hub(name: &str, conf: Watch) -> (Hub, Lifecycle) {
        let lifecycle = Lifecycle::new("test", &Shutdown::default());
        let queue = Queue::open(&format!("memory://{name}")).unwrap();
        (Hub::start(&queue, &conf, &lifecycle).await, lifecycle)
    }

    fn moved(seq: i64) -> News {
        News::Moved(convert::moved(OrderMoved { order_id: "a".to_owned(), seq, ..OrderMoved::default() }))
    }

    #[tokio::test]
    async fn an_order_is_forgotten_with_its_last_watcher() {
        let (hub, _lifecycle) = hub("hub-forgets", Watch { most: 2, ..Watch::default() }).await;
        let (first, second) = (hub.watch("a").unwrap(), hub.watch("a").unwrap());
        assert_eq!(hub.watch("b").err().expect("there is room for two").reason(), "overloaded");
        assert_eq!(hub.tell("a", moved(1)), 2);
        drop(first);
        assert_eq!(hub.tell("a", moved(2)), 1);
        drop(second);
        assert!(hub.lock().is_empty());
        assert_eq!(hub.tell("a", moved(3)), 0);
        assert!(hub.watch("b").is_ok());
    }

    #[tokio::test]
    async fn a_slow_watcher_hears_that_it_missed_something_and_then_the_newest() {
        let (hub, _lifecycle) = hub("hub-slow", Watch { behind: 2, ..Watch::default() }).await;
        let mut watcher = hub.watch("a").unwrap();
        for seq in 1..=5 {
            hub.tell("a", moved(seq));
        }
        assert!(matches!(watcher.next().await, News::Missed));
        for expected in [4, 5] {
            assert!(matches!(watcher.next().await, News::Moved(event) if event.seq == expected));
        }
        hub.hear_nothing();
        assert!(matches!(watcher.next().await, News::Missed));
    }
}
