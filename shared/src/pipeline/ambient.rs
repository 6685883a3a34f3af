//! What code deep inside a request may know of it without being told: its ids, its deadline, the service it runs in.
//! Set around every poll, so it holds across `.await` and never leaks into another request on the same thread.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::telemetry::trace::Ids;

/// Copied, not shared: three words and a name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ambient {
    pub ids: Ids,
    /// A [`crate::clock::tick`].
    pub deadline: Option<u64>,
    /// The `service` of log lines; several services may live in one process.
    pub service: &'static str,
}

thread_local! {
    static AMBIENT: Cell<Option<Ambient>> = const { Cell::new(None) };
}

/// What surrounds the code that asks; `None` outside of requests and named tasks.
pub fn current() -> Option<Ambient> {
    AMBIENT.get()
}

/// Runs `f` surrounded by `ambient`, and puts back what was there even when `f` panics.
pub fn within<R>(ambient: Ambient, f: impl FnOnce() -> R) -> R {
    let _inside = enter(ambient);
    f()
}

/// Surrounds the caller, who must not wait meanwhile, until the guard is dropped.
pub(super) fn enter(ambient: Ambient) -> Inside {
    Inside(AMBIENT.replace(Some(ambient)))
}

/// Holds what to put back.
pub(super) struct Inside(Option<Ambient>);

impl Inside {
    pub(super) fn change(&self, ambient: Ambient) {
        AMBIENT.set(Some(ambient));
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        AMBIENT.set(self.0);
    }
}

/// Surrounds a whole future: for work that no pipeline runs, such as a task or an event's handler.
pub fn scope<F: Future>(ambient: Ambient, future: F) -> Scope<F> {
    Scope { ambient, future }
}

/// Surrounds a future with what surrounds the caller: for work that is handed to another task.
pub fn inherit<F: Future>(future: F) -> Scope<F> {
    scope(current().unwrap_or_default(), future)
}

pin_project! {
    pub struct Scope<F> {
        ambient: Ambient,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Scope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        within(*this.ambient, || this.future.poll(task))
    }
}
