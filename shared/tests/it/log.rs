//! Lines as `tracing` makes them: JSON whatever they hold, with the ids and the service of what surrounds them.

use serde_json::Value;
use shared::pipeline::ambient::{self, Ambient};
use shared::telemetry::log;
use shared::telemetry::trace::Ids;

use super::world;

/// The one captured line that contains `mark`.
#[track_caller]
fn line(mark: &str) -> Value {
    let lines = log::captured(mark);
    assert_eq!(lines.len(), 1, "{lines:?}");
    serde_json::from_str(&lines[0]).unwrap()
}

#[test]
fn fields_keep_their_types_and_the_message_leads() {
    log::capture();
    let error: Box<dyn std::error::Error> = "a \"cause\"\nof two lines".into();
    tracing::warn!(
        count = -3_i64,
        share = 0.5,
        odd = f64::NAN,
        yes = true,
        error = %error,
        shape = ?Some("\u{1}"),
        "types {}",
        "of-fields"
    );
    let line = line("types of-fields");
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["count"], -3);
    assert_eq!(line["share"], 0.5);
    assert_eq!(line["odd"], "NaN");
    assert_eq!(line["yes"], true);
    assert_eq!(line["error"], "a \"cause\"\nof two lines");
    assert_eq!(line["shape"], "Some(\"\\u{1}\")");
    assert!(line.get("trace_id").is_none(), "outside of a request");
}

#[tokio::test]
async fn a_line_deep_in_a_request_carries_its_ids_across_awaits() {
    log::capture();
    let ids = Ids::root();
    let ambient = Ambient { ids, service: "order-rpc", deadline: None };
    ambient::scope(ambient, async {
        tokio::task::yield_now().await;
        tracing::info!("deep in a request");
    })
    .await;
    let line = line("deep in a request");
    assert_eq!((&line["trace_id"], &line["service"]), (&ids.to_string().into(), &"order-rpc".into()));
    assert_eq!(line["span_id"].as_str().unwrap().as_bytes(), ids.span_hex());
}

#[tokio::test]
async fn a_task_logs_under_its_service() {
    log::capture();
    let process = world::lifecycle();
    process.child("product-rpc").spawn_job(async { tracing::info!("from a task") });
    process.stop().await;
    assert_eq!(line("from a task")["service"], "product-rpc");
}

#[test]
fn what_is_below_the_level_is_not_written() {
    log::capture();
    tracing::debug!("below the level");
    tracing::info!(target: "hyper::proto", "below the level of libraries");
    assert_eq!(log::captured("below the level"), Vec::<String>::new());
}
