//! The payment provider: another company's server, spoken to over HTTP. It knows a charge by our payment's id, so that
//! asking twice charges once.

use http::{HeaderName, Method, StatusCode};
use proto::v1::Money;
use serde::{Deserialize, Serialize};
use shared::error::{BoxError, Error, Result};
use shared::http_client::{Answer, Client, Conf, Route};
use shared::lifecycle::Lifecycle;

use crate::card::Card;

/// What became of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    /// With the provider's code for why.
    Declined(String),
    /// Nothing was charged, and nothing ever will be under this key.
    Void,
    /// The provider has not decided yet.
    Pending,
}

/// Why the outcome of a charge is not known. Whether money moved must be looked up.
pub(crate) struct Unknown(pub(crate) Error);

pub(crate) struct Provider {
    charge: Route,
    look_up: Route,
    void: Route,
    refund: Route,
}

impl Provider {
    pub(crate) fn try_new(conf: &Conf, lifecycle: &Lifecycle) -> Result<Provider, BoxError> {
        let client = Client::try_new("payment", conf, lifecycle)?;
        Ok(Provider {
            // The key makes each of them safe to repeat.
            charge: client.route(Method::POST, "/v1/charges").idempotent(),
            look_up: client.route(Method::GET, "/v1/charges/{key}").idempotent(),
            void: client.route(Method::POST, "/v1/charges/{key}/void").idempotent(),
            refund: client.route(Method::POST, "/v1/charges/{key}/refund").idempotent(),
        })
    }

    /// Charges `amount` under `key`. Anything but a charge in the answer leaves it open what happened: a refusal, too,
    /// may be the second answer to a call whose first answer was lost.
    pub(crate) async fn charge(
        &self,
        key: &str,
        amount: &Money,
        card: &Card,
        reference: &str,
    ) -> Result<Outcome, Unknown> {
        const KEY: HeaderName = HeaderName::from_static("idempotency-key");
        let charge = NewCharge {
            amount: amount.amount,
            currency: &amount.currency,
            card: NewCard {
                number: card.number.expose(),
                exp_month: card.exp_month,
                exp_year: card.exp_year,
                cvc: card.cvc.expose(),
            },
            reference,
        };
        let answer = self.charge.to("/v1/charges").header(KEY, key).json(&charge).send().await;
        answer.and_then(|answer| outcome(&answer)).map_err(Unknown)
    }

    /// `None` where the provider has never heard of the charge. It may still be on its way there.
    pub(crate) async fn look_up(&self, key: &str) -> Result<Option<Outcome>> {
        let answer = self.look_up.to(&format!("/v1/charges/{key}")).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        outcome(&answer).map(Some)
    }

    /// Keeps a charge that is not known from ever happening; one that has happened is answered as it is.
    pub(crate) async fn void(&self, key: &str) -> Result<Outcome> {
        outcome(&self.void.to(&format!("/v1/charges/{key}/void")).send().await?)
    }

    /// Pays back; the second time, too, it is well.
    pub(crate) async fn refund(&self, key: &str) -> Result<()> {
        let answer = self.refund.to(&format!("/v1/charges/{key}/refund")).send().await?;
        if answer.status() == StatusCode::OK { Ok(()) } else { Err(unexpected(&answer)) }
    }
}

#[derive(Serialize)]
struct NewCharge<'a> {
    amount: i64,
    currency: &'a str,
    card: NewCard<'a>,
    reference: &'a str,
}

#[derive(Serialize)]
struct NewCard<'a> {
    number: &'a str,
    exp_month: i32,
    exp_year: i32,
    cvc: &'a str,
}

#[derive(Deserialize)]
struct Charge {
    status: Status,
    #[serde(default)]
    decline_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    Succeeded,
    Declined,
    Voided,
    Refunded,
}

fn outcome(answer: &Answer) -> Result<Outcome> {
    if answer.status() != StatusCode::OK {
        return Err(unexpected(answer));
    }
    let charge: Charge = answer.json()?;
    Ok(match charge.status {
        Status::Pending => Outcome::Pending,
        Status::Succeeded => Outcome::Succeeded,
        Status::Declined => {
            Outcome::Declined(charge.decline_code.unwrap_or_else(|| "card_declined".to_owned()))
        }
        // Whoever paid it back by hand: the customer has the money.
        Status::Voided | Status::Refunded => Outcome::Void,
    })
}

fn unexpected(answer: &Answer) -> Error {
    Error::internal(format!("the payment provider answered {}", answer.status()))
}
