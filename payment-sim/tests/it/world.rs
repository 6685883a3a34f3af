//! A provider of its own for each test, and what its clients say to it.

use std::time::Duration;

use http::{HeaderName, Method};
use payment_sim::config::Config;
use serde_json::{Value, json};
use shared::config::{self, Loaded};
use shared::error::{Error, Result};
use shared::http_client::{Client, Conf, Route};
use shared::lifecycle::{Lifecycle, Shutdown};
use tempfile::TempDir;

pub(crate) const GOOD: &str = "4242424242424242";
pub(crate) const BREAKS: &str = "4000000000000119";
pub(crate) const UNANSWERED: &str = "4000000000000093";
pub(crate) const PENDING: &str = "4000000000000044";

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) client: Client,
    create: Route,
    list: Route,
    get: Route,
    void: Route,
    refund: Route,
}

/// A status, and the body with it.
pub(crate) type Told = (u16, Value);

/// The configuration that comes with the provider, in a folder of the test's own.
pub(crate) fn configuration(folder: &TempDir) -> Loaded<Config> {
    let text = include_str!("../../etc/payment-sim.yaml");
    let data = |name: &str| (name == "DATA").then(|| folder.path().display().to_string());
    config::parse("payment-sim.yaml", text, &data).unwrap()
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> World {
        World::on(TempDir::new().unwrap(), change).await
    }

    /// On a folder that may hold a database already.
    pub(crate) async fn on(folder: TempDir, change: impl FnOnce(&mut Config)) -> World {
        let shutdown = Shutdown { beat: Duration::ZERO, ..Shutdown::default() };
        let lifecycle = Lifecycle::new("payment-sim", &shutdown);
        let Loaded { mut listen, mut own, service } = configuration(&folder);
        listen.port = 0;
        change(&mut own);
        let running = payment_sim::start(listen, own, service.mode, &lifecycle).await.unwrap();
        let url = format!("http://{}", running.address);
        let conf = Conf { url, timeout: Duration::from_secs(20), ..Conf::default() };
        let client = Client::try_new("payment", &conf, &lifecycle).unwrap();
        let route = |method, pattern| client.route(method, pattern);
        World {
            create: route(Method::POST, "/v1/charges"),
            list: route(Method::GET, "/v1/charges"),
            get: route(Method::GET, "/v1/charges/{key}"),
            void: route(Method::POST, "/v1/charges/{key}/void"),
            refund: route(Method::POST, "/v1/charges/{key}/refund"),
            folder,
            lifecycle,
            client,
        }
    }

    /// The same provider after its process has ended.
    pub(crate) async fn again(self, change: impl FnOnce(&mut Config)) -> World {
        self.lifecycle.stop().await;
        World::on(self.folder, change).await
    }

    pub(crate) async fn charge(&self, key: &str, card: &str) -> Told {
        self.post(Some(key), &request(card)).await.unwrap()
    }

    pub(crate) async fn post(&self, key: Option<&str>, request: &Value) -> Result<Told> {
        let mut call = self.create.to("/v1/charges").json(request);
        if let Some(key) = key {
            call = call.header(HeaderName::from_static("idempotency-key"), key);
        }
        told(call.send().await)
    }

    pub(crate) async fn get(&self, key: &str) -> Told {
        told(self.get.to(&format!("/v1/charges/{key}")).send().await).unwrap()
    }

    pub(crate) async fn void(&self, key: &str) -> Told {
        told(self.void.to(&format!("/v1/charges/{key}/void")).send().await).unwrap()
    }

    pub(crate) async fn refund(&self, key: &str) -> Told {
        told(self.refund.to(&format!("/v1/charges/{key}/refund")).send().await).unwrap()
    }

    pub(crate) async fn list(&self, query: &str) -> Told {
        told(self.list.to(&format!("/v1/charges?{query}")).send().await).unwrap()
    }
}

fn told(answer: Result<shared::http_client::Answer>) -> Result<Told, Error> {
    let answer = answer?;
    Ok((answer.status().as_u16(), answer.json()?))
}

pub(crate) fn request(card: &str) -> Value {
    json!({
        "amount": 1999,
        "currency": "EUR",
        "card": {"number": card, "exp_month": 12, "exp_year": 2099, "cvc": "987"},
        "reference": "order 17",
    })
}

#[track_caller]
pub(crate) fn is(told: &Told, status: &str) {
    assert_eq!((told.0, told.1["status"].as_str()), (200, Some(status)), "{}", told.1);
}

#[track_caller]
pub(crate) fn refused(told: &Told, status: u16, code: &str) {
    assert_eq!((told.0, told.1["code"].as_str()), (status, Some(code)), "{}", told.1);
}
