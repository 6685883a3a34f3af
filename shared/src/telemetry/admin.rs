//! The admin port of a process: `/metrics`, `/healthz` (it lives), `/readyz` (it may get traffic). Never reached through
//! the gateway, and never drained: who asks whether a process is ready must hear that it is not.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::{Prometheus, metrics};
use crate::error::BoxError;
use crate::lifecycle::Lifecycle;
use crate::serve::{self, Connections};

/// Listens for as long as `admin` lives; answers for `process` and all its children.
pub async fn start(
    conf: &Prometheus,
    process: &Lifecycle,
    admin: &Lifecycle,
) -> Result<std::net::SocketAddr, BoxError> {
    let taken = matches!(conf.path.as_str(), "/healthz" | "/readyz");
    if !conf.path.starts_with('/') || conf.path.contains(['{', '}', '*', ':']) || taken {
        return Err(format!(
            "Prometheus.Path: `{}` cannot be the path of metrics; write /metrics",
            conf.path
        )
        .into());
    }
    let listener = serve::bind(&conf.host, conf.port).await?;
    keep_small(admin);
    let router = Router::new()
        .route(&conf.path, get(metrics))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(process.clone());
    Ok(serve::start(listener, router, &Connections::default(), admin)?)
}

async fn metrics() -> impl IntoResponse {
    let rendered = tokio::task::spawn_blocking(metrics::render).await;
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], rendered.unwrap_or_default())
}

/// Also where nobody ever asks for them, metrics do not fill the memory.
fn keep_small(admin: &Lifecycle) {
    let owner = admin.clone();
    admin.spawn("sum up metrics", async move {
        while owner.pause(Duration::from_secs(5)).await {
            tokio::task::spawn_blocking(metrics::sum_up).await?;
        }
        Ok::<(), BoxError>(())
    });
}

async fn ready(State(process): State<Lifecycle>) -> impl IntoResponse {
    match process.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}
