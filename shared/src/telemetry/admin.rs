//! The admin port of a process: `/metrics`, `/healthz` (it lives), `/readyz` (it may get traffic). Never reached through
//! the gateway, and never drained: who asks whether a process is ready must hear that it is not.

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
    let listener = serve::bind(&conf.host, conf.port).await?;
    let router = Router::new()
        .route(&conf.path, get(metrics))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(process.clone());
    Ok(serve::start(listener, router, &Connections::default(), admin)?)
}

async fn metrics() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics::render())
}

async fn ready(State(process): State<Lifecycle>) -> impl IntoResponse {
    match process.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}
