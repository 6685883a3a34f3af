//! A gateway of its own for each test, with three faked services behind it.

use std::time::Duration;

use order_api::config::Config;
use proto::order::v1::order_server::OrderServer;
use proto::product::v1::product_server::ProductServer;
use proto::user::v1::ListKeysResponse;
use proto::user::v1::user_server::UserServer;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use shared::config::{self, Loaded};
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::queue::Queue;
use shared::rpc::server;
use shared::testing::eventually;
use shared::{rest, serve};
use tonic::service::Routes;

use crate::answer::Answer;
use crate::fake::Fake;
use crate::token::Signer;

pub(crate) const WAIT: Duration = Duration::from_secs(10);
pub(crate) const CUSTOMER: &str = "0199c0de-7000-7000-8000-000000000001";
pub(crate) const ADMIN: &str = "0199c0de-7000-7000-8000-000000000002";

pub(crate) struct World {
    pub(crate) user: Fake,
    pub(crate) product: Fake,
    pub(crate) order: Fake,
    pub(crate) signer: Signer,
    pub(crate) queue: Queue,
    /// Of the gateway.
    pub(crate) lifecycle: Lifecycle,
    base: String,
    http: reqwest::Client,
    services: Lifecycle,
    registry: String,
}

/// The configuration that comes with the service, with neighbours of the test's own.
pub(crate) fn configuration(name: &str) -> Loaded<Config> {
    let environment = |variable: &str| match variable {
        "REGISTRY" | "QUEUE" => Some(format!("memory://order-api-{name}")),
        _ => None,
    };
    config::parse("order-api.yaml", include_str!("../../etc/order-api.yaml"), &environment).unwrap()
}

impl World {
    pub(crate) async fn new(name: &str) -> World {
        World::with(name, |_, _| {}).await
    }

    /// Ready: it has keys to verify tokens with.
    pub(crate) async fn with(name: &str, change: impl FnOnce(&mut rest::Conf, &mut Config)) -> World {
        let world = World::alone(name, change).await;
        let keys = ListKeysResponse { keys: vec![world.signer.public()] };
        world.user.on("list_keys", move |_: proto::user::v1::ListKeysRequest| Ok(keys.clone()));
        world.serve_user().await;
        world.serve("product.rpc", Routes::new(ProductServer::new(world.product.clone()))).await;
        world.serve("order.rpc", Routes::new(OrderServer::new(world.order.clone()))).await;
        eventually(WAIT, async || world.lifecycle.ready().await.ok()).await;
        world
    }

    /// No service is there.
    pub(crate) async fn alone(name: &str, change: impl FnOnce(&mut rest::Conf, &mut Config)) -> World {
        let Loaded { mut listen, mut own, service } = configuration(name);
        listen.port = 0;
        change(&mut listen, &mut own);
        let shutdown = Shutdown { beat: Duration::ZERO, ..service.shutdown };
        let lifecycle = Lifecycle::new("order-api", &shutdown);
        let queue = Queue::open(&own.queue.url).unwrap();
        let registry = own.user_rpc.registry.clone();
        let running = order_api::start(listen, own, service.mode, &lifecycle).await.unwrap();
        lifecycle.started();
        World {
            user: Fake::default(),
            product: Fake::default(),
            order: Fake::default(),
            signer: Signer::new(1),
            queue,
            lifecycle,
            base: format!("http://{}", running.address),
            http: reqwest::Client::new(),
            services: Lifecycle::new("services", &shutdown),
            registry,
        }
    }

    pub(crate) async fn serve_user(&self) {
        self.serve("user.rpc", Routes::new(UserServer::new(self.user.clone()))).await;
    }

    async fn serve(&self, key: &str, routes: Routes) {
        let listener = serve::bind("127.0.0.1", 0).await.unwrap();
        let conf = server::Conf {
            host: "127.0.0.1".to_owned(),
            registry: self.registry.clone(),
            key: key.to_owned(),
            ..server::Conf::default()
        };
        server::start(listener, routes, proto::DESCRIPTORS, &conf, &self.services).await.unwrap();
    }

    /// A request by nobody.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) fn as_customer(&self, method: &str, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(self.signer.token(CUSTOMER, "customer"))
    }

    pub(crate) fn as_admin(&self, method: &str, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(self.signer.token(ADMIN, "admin"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request("POST", path).json(body)).await
    }
}
