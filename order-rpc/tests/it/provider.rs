//! The payment provider as the tests play it: it knows what it charged, and does with each call as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use shared::lifecycle::Lifecycle;
use shared::serve::{self, Connections};
use tokio::sync::watch;

pub(crate) const GOOD: &str = "4242424242424242";
pub(crate) const DECLINED: &str = "4000000000000002";
pub(crate) const POOR: &str = "4000000000009995";
/// The provider breaks, and has charged nothing.
pub(crate) const BREAKS: &str = "4000000000000119";
/// Pending until the provider is told to decide.
pub(crate) const SLOW: &str = "4000000000000044";
pub(crate) const SLOW_DECLINED: &str = "4000000000000051";
/// Charged, and the answer never comes.
pub(crate) const UNANSWERED: &str = "4000000000000093";

#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

struct Inner {
    state: Mutex<Book>,
    /// New charges wait at the door while it is shut.
    shut: watch::Sender<bool>,
}

#[derive(Default)]
struct Book {
    charges: BTreeMap<String, Charge>,
    calls: Vec<(&'static str, String)>,
    is_broken: Vec<&'static str>,
    decides: bool,
}

#[derive(Clone)]
pub(crate) struct Charge {
    pub(crate) status: &'static str,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) reference: String,
    decline_code: Option<&'static str>,
    card: String,
}

impl Provider {
    /// Where it listens.
    pub(crate) async fn start(lifecycle: &Lifecycle) -> (Provider, String) {
        let inner = Inner { state: Mutex::default(), shut: watch::Sender::new(false) };
        let provider = Provider(Arc::new(inner));
        let router = Router::new()
            .route("/v1/charges", post(charge))
            .route("/v1/charges/{key}", get(look_up))
            .route("/v1/charges/{key}/void", post(void))
            .route("/v1/charges/{key}/refund", post(refund))
            .with_state(provider.clone());
        let listener = serve::bind("127.0.0.1", 0).await.unwrap();
        let address = serve::start(listener, router, &Connections::default(), lifecycle).unwrap();
        (provider, format!("http://{address}"))
    }

    /// New charges are under way, and do not arrive, until [`Self::open`].
    pub(crate) fn shut(&self) {
        self.0.shut.send_replace(true);
    }

    pub(crate) fn open(&self) {
        self.0.shut.send_replace(false);
    }

    /// `charge`, `look_up`, `void` or `refund` answers 500 and does nothing, until [`Self::mend`].
    pub(crate) fn break_down(&self, call: &'static str) {
        self.lock().is_broken.push(call);
    }

    pub(crate) fn mend(&self) {
        self.lock().is_broken.clear();
    }

    /// What is pending, now and later, is decided.
    pub(crate) fn decide(&self) {
        let mut book = self.lock();
        book.decides = true;
        book.charges.values_mut().for_each(decide);
    }

    /// Somebody pays a charge back by hand.
    pub(crate) fn pay_back_by_hand(&self, key: &str) {
        self.lock().charges.get_mut(key).unwrap().status = "refunded";
    }

    pub(crate) fn charge_of(&self, key: &str) -> Option<Charge> {
        self.lock().charges.get(key).cloned()
    }

    /// The charges of an order that took money and have not given it back.
    pub(crate) fn taken(&self, order_id: &str) -> usize {
        let is_taken = |charge: &&Charge| charge.reference == order_id && charge.status == "succeeded";
        self.lock().charges.values().filter(is_taken).count()
    }

    pub(crate) fn calls(&self, call: &str) -> usize {
        self.lock().calls.iter().filter(|(name, _)| *name == call).count()
    }

    pub(crate) fn calls_about(&self, key: &str) -> Vec<&'static str> {
        self.lock().calls.iter().filter(|(_, of)| of == key).map(|(name, _)| *name).collect()
    }

    /// How many charges an order has, whatever became of them.
    pub(crate) fn charges_of(&self, order_id: &str) -> usize {
        self.lock().charges.values().filter(|charge| charge.reference == order_id).count()
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.state.lock().unwrap()
    }

    /// Whether the call is to be done.
    fn called(&self, call: &'static str, key: &str) -> Result<(), StatusCode> {
        let mut book = self.lock();
        book.calls.push((call, key.to_owned()));
        let is_broken = book.is_broken.contains(&call);
        if is_broken { Err(StatusCode::INTERNAL_SERVER_ERROR) } else { Ok(()) }
    }
}

type Answer = Result<String, StatusCode>;

async fn charge(State(provider): State<Provider>, headers: HeaderMap, body: String) -> Answer {
    let body: Value = serde_json::from_str(&body).unwrap();
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    provider.called("charge", &key)?;
    provider.0.shut.subscribe().wait_for(|shut| !shut).await.unwrap();
    let number = body["card"]["number"].as_str().unwrap().to_owned();
    if number == BREAKS {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let is_code = body["card"]["cvc"].as_str().is_some_and(|cvc| cvc.len() == 3);
    if !is_code || !body["card"]["exp_year"].is_i64() || !body["card"]["exp_month"].is_i64() {
        return Err(StatusCode::BAD_REQUEST);
    }
    let charged = {
        let mut book = provider.lock();
        match book.charges.get(&key) {
            Some(charge) if charge.status == "voided" => return Err(StatusCode::CONFLICT),
            Some(charge) if charge.card != number => return Err(StatusCode::UNPROCESSABLE_ENTITY),
            Some(charge) => charge.clone(),
            None => {
                let (status, decline_code) = match number.as_str() {
                    GOOD | UNANSWERED => ("succeeded", None),
                    SLOW | SLOW_DECLINED => ("pending", None),
                    POOR => ("declined", Some("insufficient_funds")),
                    _ => ("declined", Some("card_declined")),
                };
                let mut charge = Charge {
                    status,
                    amount: body["amount"].as_i64().unwrap(),
                    currency: body["currency"].as_str().unwrap().to_owned(),
                    reference: body["reference"].as_str().unwrap().to_owned(),
                    decline_code,
                    card: number.clone(),
                };
                if book.decides {
                    decide(&mut charge);
                }
                book.charges.insert(key.clone(), charge.clone());
                charge
            }
        }
    };
    if number == UNANSWERED {
        return std::future::pending().await;
    }
    Ok(shown(&key, &charged))
}

async fn look_up(State(provider): State<Provider>, Path(key): Path<String>) -> Answer {
    provider.called("look_up", &key)?;
    provider.charge_of(&key).map(|charge| shown(&key, &charge)).ok_or(StatusCode::NOT_FOUND)
}

async fn void(State(provider): State<Provider>, Path(key): Path<String>) -> Answer {
    provider.called("void", &key)?;
    let never = || Charge {
        status: "voided",
        amount: 0,
        currency: String::new(),
        reference: String::new(),
        decline_code: None,
        card: String::new(),
    };
    let charge = provider.lock().charges.entry(key.clone()).or_insert_with(never).clone();
    Ok(shown(&key, &charge))
}

async fn refund(State(provider): State<Provider>, Path(key): Path<String>) -> Answer {
    provider.called("refund", &key)?;
    let mut book = provider.lock();
    let charge = book.charges.get_mut(&key).ok_or(StatusCode::NOT_FOUND)?;
    if !matches!(charge.status, "succeeded" | "refunded") {
        return Err(StatusCode::CONFLICT);
    }
    charge.status = "refunded";
    Ok(shown(&key, charge))
}

fn decide(charge: &mut Charge) {
    if charge.status == "pending" {
        let is_good = charge.card == SLOW;
        (charge.status, charge.decline_code) =
            if is_good { ("succeeded", None) } else { ("declined", Some("card_declined")) };
    }
}

fn shown(key: &str, charge: &Charge) -> String {
    let Charge { status, amount, currency, reference, decline_code, .. } = charge;
    let mut shown = json!({
        "key": key, "status": status, "amount": amount, "currency": currency, "reference": reference,
        "card_brand": "visa", "card_last4": "0000", "created_at": "2026-01-01T00:00:00.000Z",
    });
    if let Some(code) = decline_code {
        shown["decline_code"] = json!(code);
    }
    shown.to_string()
}
