//! The order of an end, who may delay it, and what a task that dies does to the process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use shared::error::BoxError;
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::pipeline::ambient;
use tokio::time::Instant;

const BEAT: Duration = Duration::from_millis(300);
const GRACE: Duration = Duration::from_secs(10);

fn process() -> Lifecycle {
    Lifecycle::new("process", &Shutdown { beat: BEAT, grace_period: GRACE })
}

#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, service: &str, what: &str) {
        self.0.lock().unwrap().push(format!("{service} {what}"));
    }

    /// A service that notes every stage of its end.
    fn keep(&self, service: &Lifecycle) {
        service.listens();
        let (name, diary) = (service.name(), self.clone());
        service.on_leave(async move { diary.note(name, "deregisters") });
        let (this, diary) = (service.clone(), self.clone());
        service.spawn_connection(async move {
            this.draining().await;
            diary.note(name, "drains");
        });
        let (this, diary) = (service.clone(), self.clone());
        service.spawn("worker", async move {
            this.stopping().await;
            diary.note(name, "stops");
            Ok::<(), BoxError>(())
        });
    }

    fn read(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn the_youngest_ends_wholly_before_the_next() {
    let (process, diary) = (process(), Diary::default());
    for name in ["rpc", "gateway"] {
        diary.keep(&process.child(name));
    }
    let begun = Instant::now();
    process.stop().await;
    let stages = ["deregisters", "drains", "stops"];
    let expected: Vec<_> =
        ["gateway", "rpc"].iter().flat_map(|name| stages.map(|stage| format!("{name} {stage}"))).collect();
    assert_eq!(diary.read(), expected);
    assert_eq!(begun.elapsed().as_millis(), (BEAT * 2).as_millis(), "one beat for each that listens");
}

#[tokio::test(start_paused = true)]
async fn what_ignores_the_stop_is_cut_off_within_one_grace_period() {
    let process = process();
    let held = Arc::new(());
    for name in ["rpc", "gateway"] {
        let child = process.child(name);
        let (hangs, deaf) = (held.clone(), held.clone());
        child.spawn_connection(async move {
            std::future::pending::<()>().await;
            drop(hangs);
        });
        child.spawn("deaf", async move {
            std::future::pending::<()>().await;
            drop(deaf);
            Ok::<(), BoxError>(())
        });
    }
    let begun = Instant::now();
    process.stop().await;
    assert!(begun.elapsed() <= GRACE + Duration::from_millis(10), "{:?}", begun.elapsed());
    assert_eq!(Arc::strong_count(&held), 1, "everything was dropped");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_hangs_leaves_the_tasks_time_to_end() {
    let (process, diary) = (process(), Diary::default());
    process.spawn_connection(std::future::pending());
    let (this, noting) = (process.clone(), diary.clone());
    process.spawn("relay", async move {
        this.stopping().await;
        tokio::time::sleep(GRACE / 10).await;
        noting.note("relay", "ended");
        Ok::<(), BoxError>(())
    });
    process.stop().await;
    assert_eq!(diary.read(), ["relay ended"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_stop_waits_for_the_first_and_skips_nothing() {
    let (process, diary) = (process(), Diary::default());
    diary.keep(&process);
    let begun = Instant::now();
    tokio::join!(process.stop(), process.stop());
    assert_eq!(diary.read().len(), 3);
    assert_eq!(begun.elapsed().as_millis(), BEAT.as_millis());
}

#[track_caller]
fn died(spawn: impl FnOnce(&Lifecycle), expected: &'static str) -> impl Future<Output = ()> {
    let process = process();
    spawn(&process.child("order-rpc"));
    async move {
        let died = tokio::time::timeout(GRACE, process.died()).await.expect("the process hears of it");
        assert_eq!(died.to_string(), expected);
        process.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_early_is_named() {
    let start = |future: fn() -> Result<(), BoxError>| {
        move |service: &Lifecycle| service.spawn("relay", async move { future() })
    };
    died(start(|| Ok(())), "task relay of order-rpc ended unexpectedly: it returned").await;
    died(start(|| Err("no disk".into())), "task relay of order-rpc ended unexpectedly: no disk").await;
    died(start(|| panic!("oh {}", "no")), "task relay of order-rpc ended unexpectedly: it panicked: oh no")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_job_may_end_and_its_service_is_known() {
    let process = process();
    let (tell, told) = tokio::sync::oneshot::channel();
    process.child("user-rpc").spawn_job(async move {
        tell.send(ambient::current().map(|ambient| ambient.service)).unwrap();
    });
    assert_eq!(told.await.unwrap(), Some("user-rpc"));
    assert!(tokio::time::timeout(GRACE, process.died()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn ready_is_all_started_and_every_check() {
    let process = process();
    let child = process.child("order-rpc");
    let works = Arc::new(Mutex::new(Ok(())));
    let check = works.clone();
    child.ready_while("database", move || {
        let answer: Result<(), &str> = *check.lock().unwrap();
        async move { answer.map_err(BoxError::from) }
    });
    let reason = async || process.ready().await.unwrap_err();
    assert_eq!(reason().await, "process is starting");
    process.started();
    assert_eq!(reason().await, "order-rpc is starting");
    child.started();
    assert_eq!(process.ready().await, Ok(()));
    *works.lock().unwrap() = Err("no such file");
    assert_eq!(reason().await, "order-rpc: database: no such file");
    *works.lock().unwrap() = Ok(());
    child.ready_while("queue", std::future::pending);
    assert_eq!(reason().await, "order-rpc: queue does not answer");
}

#[tokio::test(start_paused = true)]
async fn a_process_is_not_ready_from_the_first_moment_of_its_end() {
    let process = process();
    let child = process.child("gateway");
    child.listens();
    child.started();
    process.started();
    tokio::join!(process.stop(), async {
        tokio::time::sleep(BEAT / 2).await;
        assert_eq!(process.ready().await, Err("gateway is leaving".to_owned()));
    });
    assert_eq!(process.ready().await, Err("process is leaving".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_farewell_that_panics_or_hangs_costs_nobody_his_end() {
    let (process, diary) = (process(), Diary::default());
    process.on_leave(async { panic!("no registry") });
    process.on_leave(std::future::pending());
    diary.keep(&process);
    let begun = Instant::now();
    process.stop().await;
    assert_eq!(diary.read().len(), 3);
    assert_eq!(process.fault().unwrap().cause, "it panicked: no registry");
    assert!(begun.elapsed() <= GRACE);
}

#[tokio::test(start_paused = true)]
async fn what_tasks_use_is_closed_when_they_have_ended_the_youngest_first() {
    let (process, diary) = (process(), Diary::default());
    for what in ["closes the database", "closes the queue"] {
        let diary = diary.clone();
        process.on_end(async move { diary.note("process", what) });
    }
    diary.keep(&process);
    process.stop().await;
    let order = ["deregisters", "drains", "stops", "closes the queue", "closes the database"];
    assert_eq!(diary.read(), order.map(|what| format!("process {what}")));
}
