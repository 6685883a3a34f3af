//! Auth: a bearer token becomes the caller. The signature is checked with a public key, by one pinned algorithm, and
//! once for a token, not once for a request.

mod keys;
mod verifier;

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::request;
use serde::{Deserialize, Serialize};

pub use keys::{Jwk, Keys};
pub use verifier::{Rejected, Rules, Verifier};

use super::{Admit, Concern, Cx, Refusal};
use crate::error::Code;

/// What an access token says; times are seconds since the Unix epoch, as RFC 7519 has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub role: String,
    pub iat: u64,
    pub nbf: u64,
    pub exp: u64,
}

/// Who calls: in the extensions of a request that auth let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub id: String,
    pub role: String,
}

const MISSING: Refusal = Refusal::new(
    Code::Unauthenticated,
    "unauthenticated",
    "this needs an access token: Authorization: Bearer …",
);
const BAD: Refusal = Refusal::new(Code::Unauthenticated, "unauthenticated", "the access token is not valid");
const EXPIRED: Refusal =
    Refusal::new(Code::Unauthenticated, "token_expired", "the access token is no longer valid");
/// The token may be good: its owner must not throw it away.
const STARTING: Refusal = Refusal {
    retry_after: Some(Duration::from_secs(1)),
    ..Refusal::new(Code::Unavailable, "unavailable", "access tokens cannot be checked yet")
};

pub struct Auth(Verifier);

impl Auth {
    pub fn of(verifier: Verifier) -> Auth {
        Auth(verifier)
    }
}

impl Concern for Auth {
    fn name(&self) -> &'static str {
        "auth"
    }

    fn admit(&self, _: &mut Cx, head: &mut request::Parts) -> Admit {
        let Some(token) = head.headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes())) else {
            return MISSING.into();
        };
        match self.0.verify_bytes(token) {
            Ok(caller) => {
                head.extensions.insert(caller);
                Admit::Go
            }
            Err(Rejected::Expired) => EXPIRED.into(),
            Err(Rejected::Invalid) => BAD.into(),
            Err(Rejected::Unknowable) => STARTING.into(),
        }
    }
}

/// The scheme's case does not matter (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
