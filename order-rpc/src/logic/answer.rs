//! What is kept under an idempotency key: the answer as it was first given.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use prost::Message as _;
use proto::order::v1::OrderView;
use serde::{Deserialize, Serialize};
use shared::error::{Code, Error, Result};
use shared::store::idempotency::{self, Claim};
use shared::store::sql::{Db, Tx};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// The contract's message, encoded.
    Order(String),
    /// A payment that did not go through, by its decline code.
    Declined(String),
}

impl Answer {
    pub(super) fn order(view: &OrderView) -> Answer {
        Answer::Order(BASE64.encode(view.encode_to_vec()))
    }

    pub(super) fn parse(text: &str) -> Result<Answer> {
        serde_json::from_str(text).map_err(Error::internal)
    }

    /// As the caller gets it.
    pub(super) fn give(self) -> Result<OrderView> {
        match self {
            Answer::Order(encoded) => {
                let bytes = BASE64.decode(encoded).map_err(Error::internal)?;
                OrderView::decode(bytes.as_slice()).map_err(Error::internal)
            }
            Answer::Declined(code) => {
                let declined =
                    Error::new(Code::PaymentRequired, "payment_declined", "the payment was declined");
                Err(declined.with("decline_code", code))
            }
        }
    }

    /// In the transaction of what it tells. Fails where another try has taken the key over.
    pub(super) async fn keep(&self, tx: &mut Tx, claim: &Claim) -> Result<()> {
        let text = serde_json::to_string(self).map_err(Error::internal)?;
        idempotency::finish(tx, claim, &text).await
    }
}

/// Frees the key after a refusal. Where that fails it is free when the claim runs out.
pub(super) async fn free(db: &Db, claim: &Claim) {
    if let Err(error) = idempotency::release(db, claim).await {
        tracing::warn!(error = error.chain(), "an idempotency key stays claimed for now");
    }
}

/// Lets the next request under the key go on with what this one left undone.
pub(super) async fn hand_over(db: &Db, claim: &Claim) {
    if let Err(error) = idempotency::hand_over(db, claim).await {
        tracing::warn!(error = error.chain(), "an idempotency key stays claimed for now");
    }
}

/// Another request has taken the key over, since this one was so late that it was taken for dead.
pub(super) fn lost() -> Error {
    let detail = "another request with this Idempotency-Key has taken over";
    Error::new(Code::Conflict, LOST, detail).retry_after(Duration::from_secs(1))
}

const LOST: &str = "idempotency_in_flight";

/// Whether [`Answer::keep`] failed because another request has taken the key over.
pub(super) fn is_lost(error: &Error) -> bool {
    error.reason() == LOST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_as_it_was_given() {
        let view = OrderView { id: "a".into(), status: "paid".into(), ..OrderView::default() };
        let text = serde_json::to_string(&Answer::order(&view)).unwrap();
        assert_eq!(Answer::parse(&text).unwrap().give().unwrap(), view);
        let text = serde_json::to_string(&Answer::Declined("expired_card".into())).unwrap();
        let declined = Answer::parse(&text).unwrap().give().unwrap_err();
        assert_eq!((declined.code(), declined.reason()), (Code::PaymentRequired, "payment_declined"));
        assert_eq!(declined.extra("decline_code").unwrap(), "expired_card");
        assert!(Answer::parse("{}").is_err());
    }
}
