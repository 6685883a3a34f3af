//! The use cases, a file a group of the contract: a request becomes a call, and its answer what the contract shows.
//! Refusals of the services pass through word for word.

pub(crate) mod admin;
pub(crate) mod cart;
pub(crate) mod catalogue;
pub(crate) mod order;
pub(crate) mod user;

use shared::error::{Code, Error, Result};

/// The header is optional in the contract, since its absence has a code of its own.
fn idempotency_key(header: Option<String>) -> Result<String> {
    header.ok_or_else(|| {
        Error::new(
            Code::InvalidArgument,
            "idempotency_key_missing",
            "this needs an Idempotency-Key: a text of yours that is new for each new request",
        )
    })
}
