//! The harness: a shop, and what people do in it. Tests speak in its verbs; every answer is held against the conventions
//! of the contract on the way, and every test ends with the audit.

mod admin;
mod call;
mod card;
mod contract;
mod customer;
mod place;
mod process;
mod watch;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

pub use admin::{Admin, product};
pub use call::{Answer, Call};
pub use card::*;
pub use contract::Seen;
pub use customer::{Customer, Order, address};
pub use process::Process;
pub use watch::{Moved, Watch};

use crate::audit::{self, Report, Sources};
use place::Place;

/// How long the world may take for what it does by itself.
pub const SOON: Duration = Duration::from_secs(20);

/// An open shop. Cheap to clone; all clones are the same shop.
#[derive(Clone)]
pub struct Shop(Arc<Inner>);

struct Inner {
    base: String,
    http: reqwest::Client,
    seen: Mutex<BTreeSet<Seen>>,
    answers: AtomicUsize,
    place: Place,
}

impl Shop {
    /// A shop with the configuration it comes with: of this process, or the one that `E2E_URL` names.
    pub async fn open() -> Shop {
        match Place::elsewhere() {
            Some((base, place)) => Shop::of(base, place),
            None => Shop::here(json!({})).await,
        }
    }

    /// A shop whose services are configured so: by a service's name, what its configuration is overlaid with. `None`,
    /// which is said, where the shop is another process'.
    pub async fn configured(services: Value) -> Option<Shop> {
        if Place::elsewhere().is_some() {
            place::skip("it needs a configuration of its own");
            return None;
        }
        Some(Shop::here(services).await)
    }

    async fn here(services: Value) -> Shop {
        let (base, place) = Place::here(services).await;
        Shop::of(base, place)
    }

    fn of(base: String, place: Place) -> Shop {
        Shop::continued(base, place, BTreeSet::new())
    }

    fn continued(base: String, place: Place, seen: BTreeSet<Seen>) -> Shop {
        // Answers are held against their contract as they are, and a test that hangs says where.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .expect("a client without TLS needs nothing");
        Shop(Arc::new(Inner { base, http, seen: Mutex::new(seen), answers: AtomicUsize::new(0), place }))
    }

    /// Where it is, without a path.
    pub fn url(&self) -> &str {
        &self.0.base
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// Any request. Awaited, it is an [`Answer`] that keeps the conventions.
    #[track_caller]
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self, method, path)
    }

    /// A new customer, signed in.
    #[track_caller]
    pub fn register(&self) -> impl Future<Output = Customer> + use<> {
        Customer::register(self.clone())
    }

    /// The administrator, signed in.
    #[track_caller]
    pub fn admin(&self) -> impl Future<Output = Admin> + use<> {
        Admin::login(self.clone())
    }

    /// The books, as soon as nothing is on its way any more. `None` where they are not to be had.
    pub async fn books(&self) -> Option<Report> {
        let sources = self.sources()?;
        Some(audit::settled(sources, SOON).await.expect("the databases can be read"))
    }

    pub fn sources(&self) -> Option<&Sources> {
        self.0.place.sources()
    }

    /// # Panics
    /// Where an invariant is broken, or something does not settle.
    #[track_caller]
    pub fn audit(&self) -> impl Future<Output = ()> + use<> {
        let (shop, place) = (self.clone(), std::panic::Location::caller());
        async move {
            match shop.books().await {
                Some(report) if report.is_clean() => {}
                Some(report) => panic!("{place}: the audit found\n{report}\n{}", place::troubles()),
                None => place::skip("E2E_DATA does not name the folder of its data: no audit"),
            }
        }
    }

    /// The end of a test: the audit, and a clean stop of a shop in this process.
    #[track_caller]
    pub fn close(self) -> impl Future<Output = ()> {
        let audit = self.audit();
        async move {
            audit.await;
            self.0.place.stop().await;
        }
    }

    /// Stops without an audit; what it was is known by its data.
    pub async fn stop(&self) {
        self.0.place.stop().await;
    }

    /// The same shop with the same data, after a stop, configured so.
    pub async fn again(&self, services: Value) -> Shop {
        let (base, place) = self.0.place.again(services).await;
        Shop::continued(base, place, self.seen())
    }

    fn note(&self, seen: Seen) {
        self.0.answers.fetch_add(1, Ordering::Relaxed);
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(seen);
    }

    /// How many answers were heard here.
    pub fn answers(&self) -> usize {
        self.0.answers.load(Ordering::Relaxed)
    }

    /// What was asked here, and answered.
    pub fn seen(&self) -> BTreeSet<Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A text that nobody used before.
pub fn fresh(what: &str) -> String {
    format!("{what}-{}", uuid::Uuid::now_v7())
}
