//! The provider's test cards: each has an outcome of its own.

use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Card(pub &'static str);

pub const CARD_OK: Card = Card("4242424242424242");
pub const CARD_DECLINED: Card = Card("4000000000000002");
pub const INSUFFICIENT_FUNDS: Card = Card("4000000000009995");
pub const EXPIRED_CARD: Card = Card("4000000000000069");
pub const INCORRECT_CVC: Card = Card("4000000000000127");
/// The provider breaks, and has charged nothing.
pub const PROVIDER_BREAKS: Card = Card("4000000000000119");
/// Decided a while later, well.
pub const SUCCEEDS_LATER: Card = Card("4000000000000044");
/// Decided a while later, badly.
pub const DECLINED_LATER: Card = Card("4000000000000051");
/// Charged, and the answer never comes.
pub const NO_ANSWER: Card = Card("4000000000000093");
/// A valid number that the provider knows nothing of.
pub const UNKNOWN_CARD: Card = Card("4111111111111111");

impl Card {
    pub fn body(self) -> Value {
        json!({"card": {"number": self.0, "exp_month": 12, "exp_year": 2099, "cvc": "123"}})
    }
}
