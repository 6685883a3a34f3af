//! From start to stop. A [`Lifecycle`] owns every task of a service, knows whether the service is ready, and ends it in
//! order: not ready → deregister → one beat → drain → stop → close → done. A process is a lifecycle whose children are its
//! services; they stop one after the other, the last started first, so that a gateway drains while the services behind
//! it still answer.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;

use crate::config::duration;
use crate::error::{BoxError, chain};
use crate::pipeline::ambient::{self, Ambient};

/// `Shutdown:` in a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Shutdown {
    /// Between "I am leaving" and the first refusal: time for clients to hear of it.
    #[serde(with = "duration")]
    pub beat: Duration,
    /// How long the whole stop may take, children included. A fifth of it is kept for background tasks, so that a
    /// request that hangs does not cost them their end.
    #[serde(with = "duration")]
    pub grace_period: Duration,
}

impl Default for Shutdown {
    fn default() -> Shutdown {
        Shutdown { beat: Duration::from_millis(500), grace_period: Duration::from_secs(10) }
    }
}

/// Cheap to clone; all clones are the same lifecycle.
#[derive(Clone)]
pub struct Lifecycle(Arc<Inner>);

struct Inner {
    name: &'static str,
    shutdown: Shutdown,
    started: AtomicBool,
    leaving: CancellationToken,
    draining: CancellationToken,
    stopping: CancellationToken,
    stopped: OnceCell<()>,
    listens: AtomicBool,
    connections: Tasks,
    tasks: Tasks,
    children: Mutex<Vec<Lifecycle>>,
    farewells: Mutex<Vec<Farewell>>,
    last: Mutex<Vec<Farewell>>,
    checks: Mutex<Vec<Check>>,
    /// Shared by the whole tree: one task that dies ends the process.
    fault: Arc<Fault>,
}

/// Tasks that end together, and the way to cut off those that do not.
#[derive(Default)]
struct Tasks {
    tracker: TaskTracker,
    abandoned: CancellationToken,
}

type Farewell = Pin<Box<dyn Future<Output = ()> + Send>>;
type Answer = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;
type Check = (String, Arc<dyn Fn() -> Answer + Send + Sync>);

#[derive(Default)]
struct Fault {
    first: OnceLock<Died>,
    seen: CancellationToken,
}

/// A task ended that should have run until the stop.
#[derive(Debug, Clone)]
pub struct Died {
    pub service: &'static str,
    pub task: String,
    pub cause: String,
}

impl fmt::Display for Died {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} of {} ended unexpectedly: {}", self.task, self.service, self.cause)
    }
}

impl std::error::Error for Died {}

impl Lifecycle {
    /// A lifecycle of its own. `name` is what its log lines carry as `service`.
    pub fn new(name: &str, shutdown: &Shutdown) -> Lifecycle {
        Lifecycle::make(name, shutdown, Arc::default())
    }

    /// A service in the same process: it stops before its elder siblings and its parent.
    pub fn child(&self, name: &str) -> Lifecycle {
        let child = Lifecycle::make(name, &self.0.shutdown, self.0.fault.clone());
        lock(&self.0.children).push(child.clone());
        child
    }

    fn make(name: &str, shutdown: &Shutdown, fault: Arc<Fault>) -> Lifecycle {
        Lifecycle(Arc::new(Inner {
            // A process names its services once.
            name: String::leak(name.to_owned()),
            shutdown: shutdown.clone(),
            started: AtomicBool::new(false),
            leaving: CancellationToken::new(),
            draining: CancellationToken::new(),
            stopping: CancellationToken::new(),
            stopped: OnceCell::new(),
            listens: AtomicBool::new(false),
            connections: Tasks::default(),
            tasks: Tasks::default(),
            children: Mutex::default(),
            farewells: Mutex::default(),
            last: Mutex::default(),
            checks: Mutex::default(),
            fault,
        }))
    }

    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// A task that runs until [`stopping`](Self::stopping). Ending before that, well or not, ends the process.
    pub fn spawn<F, E>(&self, task: impl Into<String>, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let (task, this) = (task.into(), self.clone());
        let watched = async move {
            let ended = AssertUnwindSafe(future).catch_unwind().await;
            if this.0.stopping.is_cancelled() && matches!(ended, Ok(Ok(()))) {
                return;
            }
            let cause = match ended {
                Ok(Ok(())) => "it returned".to_owned(),
                Ok(Err(error)) => chain(&*error.into()),
                Err(panic) => format!("it panicked: {}", panic_text(&*panic)),
            };
            this.fail(task, cause);
        };
        self.track(&self.0.tasks, watched);
    }

    /// A task that ends by itself, such as a load that outlives the request that began it. The stop waits for it.
    pub fn spawn_job(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.track(&self.0.tasks, future);
    }

    /// A connection: the drain waits for it.
    pub fn spawn_connection(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.track(&self.0.connections, future);
    }

    #[expect(clippy::disallowed_methods, reason = "the owner of all tasks")]
    fn track(&self, tasks: &Tasks, future: impl Future<Output = ()> + Send + 'static) {
        let abandoned = tasks.abandoned.clone();
        let ambient = Ambient { service: self.0.name, ..Ambient::default() };
        tokio::spawn(tasks.tracker.track_future(ambient::scope(ambient, async move {
            abandoned.run_until_cancelled(future).await;
        })));
    }

    /// Says that a task died; the first word counts.
    fn fail(&self, task: String, cause: String) {
        let died = Died { service: self.0.name, task, cause };
        tracing::error!(task = died.task, cause = died.cause, "a task ended unexpectedly, the process stops");
        // A later death is a consequence of the first.
        self.0.fault.first.get_or_init(|| died);
        self.0.fault.seen.cancel();
    }

    /// Until a task died. Never, when all goes well.
    pub async fn died(&self) -> Died {
        self.0.fault.seen.cancelled().await;
        match self.fault() {
            Some(died) => died,
            None => std::future::pending().await,
        }
    }

    /// The first task that died, if one did. A task that fails while it is stopped has died as well.
    pub fn fault(&self) -> Option<Died> {
        self.0.fault.first.get().cloned()
    }

    /// Until the service has said that it leaves: answers ask their clients to go elsewhere.
    pub fn leaving(&self) -> WaitForCancellationFuture<'_> {
        self.0.leaving.cancelled()
    }

    pub fn is_leaving(&self) -> bool {
        self.0.leaving.is_cancelled()
    }

    /// Until no new connection may be accepted and those that are open should end.
    pub fn draining(&self) -> WaitForCancellationFuture<'_> {
        self.0.draining.cancelled()
    }

    /// Until background tasks should end.
    pub fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.0.stopping.cancelled()
    }

    /// Waits, but not beyond the stop: `false` when the stop came first.
    pub async fn pause(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.stopping()).await.is_err()
    }

    /// Something listens here: the stop waits a beat for its clients.
    pub fn listens(&self) {
        self.0.listens.store(true, Ordering::Relaxed);
    }

    /// Run when the service leaves, before the beat: deregistering.
    pub fn on_leave(&self, farewell: impl Future<Output = ()> + Send + 'static) {
        lock(&self.0.farewells).push(Box::pin(farewell));
    }

    /// Run when all tasks have ended, the youngest first: closing what they used.
    pub fn on_end(&self, last: impl Future<Output = ()> + Send + 'static) {
        lock(&self.0.last).push(Box::pin(last));
    }

    /// The service is ready only while `check` succeeds, such as its database answering.
    pub fn ready_while<F, A>(&self, name: impl Into<String>, check: F)
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        lock(&self.0.checks).push((name.into(), Arc::new(move || Box::pin(check()))));
    }

    /// All that the start had to do is done.
    pub fn started(&self) {
        self.0.started.store(true, Ordering::Release);
    }

    /// Whether this service and its children may get traffic; if not, the first reason.
    pub async fn ready(&self) -> Result<(), String> {
        if self.is_leaving() {
            return Err(format!("{} is leaving", self.0.name));
        }
        if !self.0.started.load(Ordering::Acquire) {
            return Err(format!("{} is starting", self.0.name));
        }
        let checks = lock(&self.0.checks).clone();
        for (name, check) in checks {
            match tokio::time::timeout(Duration::from_secs(1), check()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(format!("{}: {name}: {error}", self.0.name)),
                Err(_) => return Err(format!("{}: {name} does not answer", self.0.name)),
            }
        }
        let children = lock(&self.0.children).clone();
        for child in children {
            Box::pin(child.ready()).await?;
        }
        Ok(())
    }

    /// Ends children, then this, each in the order of this module's first sentence, within one grace period. Who calls
    /// while another stops it waits for the same end.
    pub async fn stop(&self) {
        self.stop_by(Instant::now() + self.0.shutdown.grace_period).await;
    }

    async fn stop_by(&self, deadline: Instant) {
        self.0.stopped.get_or_init(|| self.end(deadline)).await;
    }

    async fn end(&self, deadline: Instant) {
        // They stay in the list: the process is not ready as soon as the first of them leaves.
        let children = lock(&self.0.children).clone();
        for child in children.iter().rev() {
            Box::pin(child.stop_by(deadline)).await;
        }
        let Inner { name, shutdown, .. } = &*self.0;
        let drained = deadline.checked_sub(shutdown.grace_period / 5).unwrap_or(deadline);
        self.0.leaving.cancel();
        let farewells = std::mem::take(&mut *lock(&self.0.farewells));
        for farewell in farewells {
            self.say("leaving", farewell, drained).await;
        }
        if self.0.listens.load(Ordering::Relaxed) {
            tokio::time::sleep_until(drained.min(Instant::now() + shutdown.beat)).await;
        }
        self.0.draining.cancel();
        self.0.connections.end(drained, name, "connections").await;
        self.0.stopping.cancel();
        self.0.tasks.end(deadline, name, "tasks").await;
        let last = std::mem::take(&mut *lock(&self.0.last));
        for last in last.into_iter().rev() {
            self.say("closing", last, deadline.max(Instant::now() + LAST_WAIT)).await;
        }
    }

    /// One that hangs or panics does not cost the others their end.
    async fn say(&self, what: &'static str, farewell: Farewell, deadline: Instant) {
        match tokio::time::timeout_at(deadline, AssertUnwindSafe(farewell).catch_unwind()).await {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => self.fail(what.to_owned(), format!("it panicked: {}", panic_text(&*panic))),
            Err(_) => tracing::warn!(stopping = self.0.name, what, "the grace period is over"),
        }
    }
}

impl Tasks {
    /// Waits until the deadline, then cuts off what is left.
    async fn end(&self, deadline: Instant, stopping: &str, what: &str) {
        self.tracker.close();
        if tokio::time::timeout_at(deadline, self.tracker.wait()).await.is_ok() {
            return;
        }
        tracing::warn!(stopping, what, left = self.tracker.len(), "the grace period is over");
        self.abandoned.cancel();
        // A task that never yields cannot be cut off; it must not hold up the others' end.
        if tokio::time::timeout(LAST_WAIT, self.tracker.wait()).await.is_err() {
            tracing::error!(
                stopping,
                what,
                left = self.tracker.len(),
                "these never yield and are left behind"
            );
        }
    }
}

const LAST_WAIT: Duration = Duration::from_millis(500);

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a panic said, if it said it in words.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
