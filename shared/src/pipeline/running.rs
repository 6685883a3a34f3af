//! The one future that runs a list: it asks, calls, catches, sleeps, and pays what it owes.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, request};
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use super::ambient::{self, Ambient};
use super::{Admit, Answer, Body, Cx, End, MOST, Outcome, Pipeline, Refusal, Side};
use crate::clock;
use crate::error::Code;
use crate::telemetry::trace::Ids;

/// Others keep timers for the same deadline (tonic two of its own), which may fire a turn before ours: what ends this
/// close to the deadline ended by it.
const LATE_NS: u64 = 2_000_000;

/// What stands behind a list: a tower service or an axum handler.
pub trait Call<B> {
    type Body: http_body::Body;
    type Error;
    type Future: Future<Output = Result<Response<Self::Body>, Self::Error>>;
    fn call(self, req: Request<B>) -> Self::Future;
}

/// A request under way. Dropping it pays what is owed.
pub(super) struct Live {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) cx: Cx,
    /// The concern to ask next.
    next: usize,
    /// How many concerns, from the outermost, must hear `done`.
    owed: usize,
}

impl Live {
    fn new(pipeline: Arc<Pipeline>, method: Method, path: Option<PathAndQuery>) -> Live {
        // A call belongs to the request that makes it: nothing of it may outlive that one's deadline.
        let deadline = match pipeline.side {
            Side::Client => ambient::current().and_then(|ambient| ambient.deadline),
            Side::Server => None,
        };
        let cx = Cx {
            protocol: pipeline.protocol,
            side: pipeline.side,
            method,
            path,
            start: clock::tick(),
            deadline,
            ids: Ids::default(),
            logged: false,
            at: 0,
            notes: [0; MOST],
        };
        Live { pipeline, cx, next: 0, owed: 0 }
    }

    fn ambient(&self) -> Ambient {
        Ambient { ids: self.cx.ids, deadline: self.cx.deadline, service: self.pipeline.service }
    }

    pub(super) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        ambient::within(self.ambient(), f)
    }

    pub(super) fn catches(&self) -> bool {
        self.pipeline.catches
    }

    /// Asks the concerns that were not asked yet.
    fn admit(&mut self, head: &mut request::Parts) -> Admit {
        // A call is admitted in what surrounds it: the request that makes it.
        let inside = (self.pipeline.side == Side::Server).then(|| ambient::enter(self.ambient()));
        while let Some(concern) = self.pipeline.list.get(self.next) {
            self.cx.at = self.next;
            let (span, deadline) = (self.cx.ids.span, self.cx.deadline);
            let admit = concern.admit(&mut self.cx, head);
            if let Some(inside) = &inside
                && (self.cx.ids.span != span || self.cx.deadline != deadline)
            {
                inside.change(self.ambient());
            }
            match admit {
                Admit::Go => {
                    self.next += 1;
                    self.owed = self.next;
                }
                // Owed already: a client that goes away while the concern waits must not be forgotten.
                Admit::Again | Admit::Later(_) => {
                    self.owed = self.next + 1;
                    return admit;
                }
                Admit::Refuse(_) | Admit::Answer(_) => return admit,
            }
        }
        Admit::Go
    }

    pub(super) fn finish(&mut self, end: End, code: u16) {
        let now = clock::tick();
        let took = now.saturating_sub(self.cx.start);
        let outcome = Outcome { end, code, now, took, protocol: self.cx.protocol };
        let ambient = self.ambient();
        ambient::within(ambient, || {
            while self.owed > 0 {
                // A concern that panics must not cost the others their `done`; the panic hook has told of it.
                catch_unwind(AssertUnwindSafe(|| self.pay(&outcome))).ok();
            }
        });
    }

    fn pay(&mut self, outcome: &Outcome) {
        while self.owed > 0 {
            self.owed -= 1;
            self.cx.at = self.owed;
            self.pipeline.list[self.owed].done(&mut self.cx, outcome);
        }
    }

    /// Shows the head of the answer to those who asked for it. `false` where one of them panicked; the answer is whole
    /// all the same.
    fn answer<B>(&mut self, rsp: &mut Response<B>) -> bool {
        let mut asked = u32::from(self.pipeline.answers) & ((1 << self.owed) - 1);
        if asked == 0 {
            return true;
        }
        let mut head = Answer { status: rsp.status(), headers: rsp.headers_mut() };
        let ambient = self.ambient();
        let show = || {
            while asked > 0 {
                self.cx.at = asked.ilog2() as usize;
                asked ^= 1 << self.cx.at;
                self.pipeline.list[self.cx.at].answer(&mut self.cx, &mut head);
            }
        };
        catch_unwind(AssertUnwindSafe(|| ambient::within(ambient, show))).is_ok()
    }

    fn refuse<B>(&mut self, end: End, refusal: &Refusal) -> Response<Body<B>> {
        let mut rsp =
            self.cx.protocol.refuse(&self.cx, refusal).map(|bytes| Body::Made { bytes: Some(bytes) });
        // A refusal gets out, whatever a concern makes of it.
        self.answer(&mut rsp);
        self.finish(end, self.number(refusal.code));
        rsp
    }

    /// Whether the time is over; asked only of those who had to wait before they began.
    fn is_over(&self) -> bool {
        self.cx.deadline.is_some_and(|deadline| clock::tick() >= deadline)
    }

    fn is_late(&self) -> bool {
        self.cx.deadline.is_some_and(|deadline| clock::tick() + LATE_NS >= deadline)
    }

    pub(super) fn number(&self, code: Code) -> u16 {
        self.cx.protocol.number(code)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.owed == 0 {
            return;
        }
        let (end, code) = if std::thread::panicking() {
            (End::Panicked, Code::Internal)
        } else if self.is_late() {
            (End::TimedOut, Code::DeadlineExceeded)
        } else {
            (End::Cancelled, Code::Cancelled)
        };
        self.finish(end, self.number(code));
    }
}

pin_project! {
    /// `stage` stands before `live`: fields drop in order, so the inner work is gone when `done` runs.
    pub struct Running<C, B, F> {
        #[pin]
        stage: Stage<C, B, F>,
        #[pin]
        sleep: Option<Sleep>,
        live: Option<Live>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<C, B, F> {
        Admitting { next: Option<(C, request::Parts, B)>, later: Option<Later> },
        Inner { #[pin] future: F },
        Over,
    }
}

type Later = BoxFuture<'static, Result<(), Refusal>>;

/// How the stages ended.
enum Step<B, E> {
    Inner(Result<Response<B>, E>),
    Refused(Refusal),
    Early(Box<Response<Bytes>>),
    TimedOut,
    Panicked,
}

impl<C: Call<B>, B> Running<C, B, C::Future> {
    pub(super) fn new(pipeline: Arc<Pipeline>, call: C, req: Request<B>) -> Self {
        let (head, body) = req.into_parts();
        let live = Some(Live::new(pipeline, head.method.clone(), head.uri.path_and_query().cloned()));
        Running { stage: Stage::Admitting { next: Some((call, head, body)), later: None }, sleep: None, live }
    }
}

impl<C: Call<B>, B> Future for Running<C, B, C::Future> {
    type Output = Result<Response<Body<C::Body>>, C::Error>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let live = this.live.as_mut().expect("a future is not polled after its end");
        // Nothing inner is polled again after a panic: that is what makes the assertion true.
        let step = if live.catches() {
            match catch_unwind(AssertUnwindSafe(|| step(&mut this.stage, &mut this.sleep, live, task))) {
                Ok(step) => ready!(step),
                Err(_) => Step::Panicked,
            }
        } else {
            ready!(step(&mut this.stage, &mut this.sleep, live, task))
        };
        // A destructor may panic as well.
        let dropped = catch_unwind(AssertUnwindSafe(|| live.within(|| this.stage.set(Stage::Over))));
        let step = if dropped.is_err() { Step::Panicked } else { step };
        this.sleep.set(None);
        let rsp = match step {
            Step::Inner(Ok(rsp)) => leave(this.live, rsp),
            Step::Inner(Err(_)) if live.is_late() => live.refuse(End::TimedOut, &Refusal::LATE),
            Step::Inner(Err(error)) => {
                live.finish(End::Failed, live.number(Code::Unavailable));
                *this.live = None;
                return Poll::Ready(Err(error));
            }
            Step::Early(rsp) => {
                let mut rsp = rsp.map(|bytes| Body::Made { bytes: Some(bytes) });
                if live.answer(&mut rsp) {
                    let (end, code) = live.cx.protocol.whole(rsp.status(), rsp.headers());
                    live.finish(end, code);
                    rsp
                } else {
                    live.refuse(End::Panicked, &Refusal::BROKEN)
                }
            }
            Step::Refused(refusal) => live.refuse(End::Refused, &refusal),
            Step::TimedOut => live.refuse(End::TimedOut, &Refusal::LATE),
            Step::Panicked => live.refuse(End::Panicked, &Refusal::BROKEN),
        };
        *this.live = None;
        Poll::Ready(Ok(rsp))
    }
}

/// The inner answer goes out: its end is known now, or its body is watched.
fn leave<B: http_body::Body>(slot: &mut Option<Live>, mut rsp: Response<B>) -> Response<Body<B>> {
    let Some(live) = slot else { return rsp.map(|body| Body::Plain { body }) };
    if !live.answer(&mut rsp) {
        return live.refuse(End::Panicked, &Refusal::BROKEN);
    }
    if let Some((end, code)) = live.cx.protocol.known(&live.cx.method, &rsp) {
        live.finish(end, code);
        return rsp.map(|body| Body::Plain { body });
    }
    let (status, live) = (rsp.status().as_u16(), slot.take().map(Box::new));
    rsp.map(|body| Body::Watched { body, status, live, sleep: None })
}

/// Drives the stages; asks for the deadline only where the work really waits.
fn step<C: Call<B>, B>(
    stage: &mut Pin<&mut Stage<C, B, C::Future>>,
    sleep: &mut Pin<&mut Option<Sleep>>,
    live: &mut Live,
    task: &mut Context<'_>,
) -> Poll<Step<C::Body, C::Error>> {
    loop {
        match stage.as_mut().project() {
            StageProjection::Admitting { next, later } => {
                let waited = live.owed > live.next;
                if let Some(waiting) = later {
                    match live.within(|| waiting.as_mut().poll(task)) {
                        Poll::Pending => break,
                        Poll::Ready(Err(refusal)) => return Poll::Ready(Step::Refused(refusal)),
                        Poll::Ready(Ok(())) => {
                            *later = None;
                            live.next += 1;
                        }
                    }
                }
                let (_, head, _) = next.as_mut().expect("taken only on the way to the next stage");
                match live.admit(head) {
                    Admit::Go => {}
                    Admit::Again => {
                        task.waker().wake_by_ref();
                        // No timer for one turn of the executor.
                        return Poll::Pending;
                    }
                    Admit::Later(waiting) => {
                        *later = Some(waiting);
                        continue;
                    }
                    Admit::Refuse(refusal) => return Poll::Ready(Step::Refused(refusal)),
                    Admit::Answer(rsp) => return Poll::Ready(Step::Early(rsp)),
                }
                if waited && live.is_over() {
                    return Poll::Ready(Step::TimedOut);
                }
                let (call, head, body) = next.take().expect("taken only here");
                let future = live.within(|| call.call(Request::from_parts(head, body)));
                stage.set(Stage::Inner { future });
            }
            StageProjection::Inner { future } => match live.within(|| future.poll(task)) {
                Poll::Ready(rsp) => return Poll::Ready(Step::Inner(rsp)),
                Poll::Pending => break,
            },
            StageProjection::Over => unreachable!("a future is not polled after its end"),
        }
    }
    let Some(deadline) = live.cx.deadline else { return Poll::Pending };
    if sleep.is_none() {
        sleep.set(Some(tokio::time::sleep_until(clock::instant(deadline))));
    }
    let Some(timer) = sleep.as_mut().as_pin_mut() else { return Poll::Pending };
    timer.poll(task).map(|()| Step::TimedOut)
}
