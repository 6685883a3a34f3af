//! What is counted: bounded however many paths, methods and names clients think of.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::Method;
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::pipeline::{Pick, Pipeline, Protocol, Side};
use shared::rest::{Conf, Server, Spec};
use shared::store::sql::Migrations;
use shared::telemetry::metrics;
use shared::testing::eventually;
use shared::transaction;
use tower::{Layer, ServiceExt};

use crate::world;

const SOON: Duration = Duration::from_secs(10);

/// The series of one service: each name with its labels, without its values.
fn series(service: &str) -> BTreeSet<String> {
    let mark = format!("service=\"{service}\"");
    let text = metrics::render();
    let lines = text.lines().filter(|line| !line.starts_with('#') && line.contains(&mark));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

async fn ask(router: &Router, method: &str, path: &str) {
    let req = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    router.clone().oneshot(req).await.unwrap();
}

#[tokio::test]
async fn clients_do_not_choose_how_many_series_there_are() {
    metrics::start().unwrap();
    let lifecycle = Lifecycle::new("bounded", &Shutdown::default());
    let server = Server::new(&Conf::default(), &lifecycle, None);
    let things = Spec::new(Method::GET, "/v1/things/{id}", "thing.get");
    let router = server.routes().add(&things, async || "a thing").into_router(());
    let all = async |n: usize| {
        ask(&router, "GET", &format!("/v1/things/{n}")).await;
        ask(&router, "HEAD", &format!("/v1/things/{n}")).await;
        ask(&router, "GET", &format!("/nowhere/{n}")).await;
        ask(&router, &format!("METHOD{n}"), "/v1/things/7").await;
        ask(&router, &format!("METHOD{n}"), &format!("/nowhere/{n}")).await;
    };
    all(0).await;
    let few = series("bounded");
    let count = |part: &str| few.iter().filter(|line| line.contains(part)).count();
    assert!(count("route=\"/v1/things/{id}\"") > 0 && count("METHOD") == 0, "{few:?}");
    assert!(count("route=\"not_found\"") > 0 && count("route=\"not_allowed\"") > 0, "{few:?}");
    for n in 1..1000 {
        all(n).await;
    }
    assert_eq!(series("bounded"), few);
}

#[tokio::test]
async fn answers_with_any_status_and_calls_of_any_method_share_what_is_there() {
    metrics::start().unwrap();
    let requests = |path: &'static str| metrics::Requests::rpc("bounded-rpc", "server", path);
    let list = |path| {
        let metrics = shared::pipeline::metrics::Metrics::of(requests(path));
        Pipeline::of("bounded-rpc", Side::Server, Protocol::Grpc).on(true, metrics).build()
    };
    let known = [("/test.Things/Get".to_owned(), list("/test.Things/Get"))];
    let pick = Pick::ByPath(std::sync::Arc::new(known.into_iter().collect()), list("unknown"));
    let service = tower::service_fn(async |req: Request| {
        let code = req.uri().query().unwrap_or("0").to_owned();
        let rsp = axum::response::Response::builder().header("grpc-status", code).body(Body::empty());
        Ok::<_, std::convert::Infallible>(rsp.unwrap())
    });
    let piped = pick.layer(service);
    for n in 0..1000 {
        for path in [format!("/test.Things/Get?{n}"), format!("/test.Things/Get{n}?{n}")] {
            piped.clone().oneshot(Request::builder().uri(path).body(Body::empty()).unwrap()).await.unwrap();
        }
    }
    let codes = series("bounded-rpc").iter().filter(|line| line.contains("_count{")).count();
    assert_eq!(codes, 2 * 18, "seventeen codes and `other`, of the method and of the unknown ones");
}

#[tokio::test]
async fn the_process_and_its_connections_are_told() {
    metrics::start().unwrap();
    const NONE: Migrations = Migrations { sqlite: &[] };
    let folder = tempfile::TempDir::new().unwrap();
    let lifecycle = Lifecycle::new("connected", &Shutdown::default());
    let db = world::open(&folder, &NONE, &lifecycle).await;
    let value = |name: &str| -> Option<f64> {
        let text = metrics::render();
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")))?;
        line.rsplit_once(' ')?.1.parse().ok()
    };
    for name in [
        "process_start_time_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_threads",
    ] {
        assert!(value(name).is_some_and(|value| value > 0.0), "{name}");
    }
    assert!(value("process_cpu_seconds_total").is_some());
    let used = "sql_connections{service=\"connected\",state=\"used\"}";
    let used_are = async |count| {
        eventually(SOON, async || (value(used) == Some(count)).then_some(())).await;
    };
    used_are(0.0).await;
    let held = db.pool().acquire().await.unwrap();
    used_are(1.0).await;
    drop(held);
    let done: shared::error::Result<()> = transaction!(db, |tx| {
        sqlx::query("SELECT 1").execute(tx.named("test.one")).await?;
        Ok(())
    });
    done.unwrap();
    for statement in ["transaction.begin", "test.one", "transaction.commit"] {
        assert!(metrics::render().contains(&format!("statement=\"{statement}\"")), "{statement}");
    }
}
