//! The RPC server: tonic's services behind one list a method, with health and reflection, known to discovery while it is
//! ready.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::map_response;
use axum::response::Response;
use serde::Deserialize;
use tokio::net::TcpListener;
use tonic::Status;
use tonic::service::Routes;
use tonic_health::ServingStatus;

use super::lists::{self, Middlewares};
use super::methods::methods;
use crate::config::{Part, duration};
use crate::discovery::Registry;
use crate::error::{BoxError, Code, chain};
use crate::lifecycle::Lifecycle;
use crate::pipeline::Pick;
use crate::serve::{self, Connections};

/// The keys of an RPC service.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Conf {
    pub host: String,
    pub port: u16,
    /// Under which name others reach it; `host` where it is empty.
    pub advertise: String,
    /// Of a call, where its caller allows no less.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// The registry's URL; nothing is registered where it is empty.
    pub registry: String,
    /// Under which key it registers.
    pub key: String,
    pub connections: Connections,
    pub middlewares: Middlewares,
}

impl Part for Conf {
    const KEYS: &'static [&'static str] =
        &["Host", "Port", "Advertise", "Timeout", "Registry", "Key", "Connections", "Middlewares"];
}

impl Default for Conf {
    fn default() -> Conf {
        Conf {
            host: "0.0.0.0".to_owned(),
            port: 8080,
            advertise: String::new(),
            timeout: Duration::from_secs(2),
            registry: String::new(),
            key: String::new(),
            connections: Connections::default(),
            middlewares: Middlewares::default(),
        }
    }
}

/// Serves `routes` and registers. What answers is `descriptors`' services, health and reflection.
pub async fn start(
    listener: TcpListener,
    routes: Routes,
    descriptors: &'static [u8],
    conf: &Conf,
    lifecycle: &Lifecycle,
) -> Result<SocketAddr, BoxError> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(descriptors)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let routes = routes.add_service(health).add_service(reflection);
    let mut known = methods(descriptors);
    known.extend(methods(tonic_health::pb::FILE_DESCRIPTOR_SET));
    let service = lifecycle.name();
    let list = |method| lists::server(service, &conf.middlewares, conf.timeout, method);
    let by_path: HashMap<_, _> = known.iter().map(|one| (one.path.clone(), list(Some(one)))).collect();
    let pick = Pick::ByPath(Arc::new(by_path), list(None));
    let router = routes.into_axum_router().layer(map_response(edge)).layer(pick);
    let address = serve::start(listener, router, &conf.connections, lifecycle)?;
    if !conf.registry.is_empty() {
        let host = if conf.advertise.is_empty() { &conf.host } else { &conf.advertise };
        let registry = Registry::open(&conf.registry)?;
        let entry = registry.register(&conf.key, &format!("{host}:{}", address.port())).await?;
        lifecycle.on_leave(async move {
            reporter.set_service_status("", ServingStatus::NotServing).await;
            drop(entry);
        });
    }
    Ok(address)
}

/// tonic's words for a call whose caller went away after its head and before its message: to it that is our fault.
const NO_MESSAGE: &str = "Missing request message.";

/// Here an error is logged, with its whole chain, where the fault is ours. tonic keeps it beside the answer.
async fn edge(rsp: Response) -> Response {
    let Some(status) = rsp.extensions().get::<Status>() else { return rsp };
    if status.code() == tonic::Code::Internal && status.message() == NO_MESSAGE {
        return Status::cancelled("the caller went away").into_http();
    }
    if Code::from_grpc(status.code()).http() >= 500 {
        tracing::error!(code = ?status.code(), error = chain(status), "failed");
    }
    rsp
}
