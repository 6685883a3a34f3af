//! The REST server: routes behind their pipelines, and problems for what no route answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use http::header::ALLOW;
use http::{HeaderValue, Method};
use serde::Deserialize;
use tokio::net::TcpListener;

use super::Spec;
use super::extract::Surroundings;
use super::lists::{Lists, Middlewares};
use crate::config::{Part, duration};
use crate::error::{Code, Error};
use crate::lifecycle::Lifecycle;
use crate::pipeline::auth::Verifier;
use crate::pipeline::{ambient, protocol};
use crate::serve::{self, Connections};

/// The keys of a REST service.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Conf {
    pub host: String,
    pub port: u16,
    /// Of a request, where its route says nothing else.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// Of a request's body, where its route says nothing else.
    pub max_bytes: usize,
    /// Between two comments on a stream of events on which nothing happens.
    #[serde(with = "duration")]
    pub heartbeat: Duration,
    pub connections: Connections,
    pub middlewares: Middlewares,
}

impl Part for Conf {
    const KEYS: &'static [&'static str] =
        &["Host", "Port", "Timeout", "MaxBytes", "Heartbeat", "Connections", "Middlewares"];
}

impl Default for Conf {
    fn default() -> Conf {
        Conf {
            host: "0.0.0.0".to_owned(),
            port: 8888,
            timeout: Duration::from_secs(3),
            max_bytes: 1 << 20,
            heartbeat: Duration::from_secs(15),
            connections: Connections::default(),
            middlewares: Middlewares::default(),
        }
    }
}

/// Builds the routes of one service.
pub struct Server {
    lists: Lists,
    around: Surroundings,
}

impl Server {
    /// `verifier` where routes have `jwt`.
    pub fn new(conf: &Conf, lifecycle: &Lifecycle, verifier: Option<Verifier>) -> Server {
        let lists =
            Lists { service: lifecycle.name(), on: conf.middlewares, timeout: conf.timeout, verifier };
        let around = Surroundings {
            max_bytes: conf.max_bytes,
            heartbeat: conf.heartbeat,
            lifecycle: lifecycle.clone(),
        };
        Server { lists, around }
    }

    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Routes<'_, S> {
        Routes { server: self, by_pattern: BTreeMap::new() }
    }
}

/// Accepts connections until the lifecycle drains.
pub fn start(
    listener: TcpListener,
    router: Router,
    conf: &Conf,
    lifecycle: &Lifecycle,
) -> std::io::Result<SocketAddr> {
    serve::start(listener, router, &conf.connections, lifecycle)
}

/// The routes so far; `S` is the handlers' state.
pub struct Routes<'a, S> {
    server: &'a Server,
    by_pattern: BTreeMap<&'static str, Methods<S>>,
}

struct Methods<S> {
    router: MethodRouter<S>,
    allowed: Vec<Method>,
}

impl<S: Clone + Send + Sync + 'static> Routes<'_, S> {
    /// # Panics
    /// Where a pattern has the method already, or a method is none of HTTP's: a contract's compiler refuses both.
    pub fn add<H, T>(mut self, spec: &Spec, handler: H) -> Self
    where
        H: Handler<T, S> + Sync,
        T: 'static,
    {
        let filter =
            MethodFilter::try_from(spec.method.clone()).expect("a contract knows HTTP's methods alone");
        let around = &self.server.around;
        let place = Surroundings {
            max_bytes: spec.max_bytes.unwrap_or(around.max_bytes),
            lifecycle: around.lifecycle.clone(),
            ..*around
        };
        // A process makes its routes once.
        let handler = self.server.lists.route(spec).route(handler).at(Box::leak(Box::new(place)));
        let methods = self
            .by_pattern
            .entry(spec.pattern)
            .or_insert_with(|| Methods { router: MethodRouter::new(), allowed: Vec::new() });
        let router = std::mem::take(&mut methods.router);
        methods.router = router.on(filter, handler);
        // A GET answers HEAD, too.
        let head = (spec.method == Method::GET).then_some(Method::HEAD);
        for method in std::iter::once(spec.method.clone()).chain(head) {
            if !methods.allowed.contains(&method) {
                methods.allowed.push(method);
            }
        }
        self
    }

    /// With what answers all that no route does.
    pub fn into_router(self, state: S) -> Router {
        let not_found = self.server.lists.unmatched("not_found");
        self.beside(Router::new().fallback(not_found.route(unknown_path)), state)
    }

    /// Beside the routes of `router`, which answers all that none of them does.
    pub fn beside(self, router: Router, state: S) -> Router {
        let not_allowed = self.server.lists.unmatched("not_allowed");
        let mut routes = Router::new();
        for (pattern, methods) in self.by_pattern {
            let names: Vec<&str> = methods.allowed.iter().map(Method::as_str).collect();
            let allow =
                HeaderValue::from_str(&names.join(", ")).expect("method names are visible characters");
            let refuse = not_allowed.route(async move |req: Request| unknown_method(&req, allow));
            routes = routes.route(pattern, methods.router.fallback(refuse));
        }
        router.merge(routes.with_state(state))
    }
}

async fn unknown_path(req: Request) -> Response {
    refuse(&req, &Error::not_found("there is nothing at this path"))
}

fn unknown_method(req: &Request, allow: HeaderValue) -> Response {
    let detail = format!("this path does not know {}", req.method());
    let mut rsp = refuse(req, &Error::of(Code::MethodNotAllowed, detail));
    rsp.headers_mut().insert(ALLOW, allow);
    rsp
}

fn refuse(req: &Request, error: &Error) -> Response {
    let ids = ambient::current().unwrap_or_default().ids;
    protocol::problem(error, req.uri().path(), &ids.to_string()).map(Into::into)
}
