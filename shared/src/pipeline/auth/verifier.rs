//! Checks an access token, and remembers those that were good: an Ed25519 check costs more than the rest of a pipeline.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header, errors::ErrorKind};
use quick_cache::sync::Cache;
use serde::Deserialize;

use super::{Caller, Claims, Keys};
use crate::clock;
use crate::config::duration;

/// `Auth:` in a configuration: what a token must say.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Rules {
    pub issuer: String,
    pub audience: String,
    /// How far the clocks of two machines may be apart.
    #[serde(with = "duration", default = "leeway")]
    pub leeway: Duration,
    /// How many good tokens are remembered.
    #[serde(default = "remembered")]
    pub remembered: usize,
}

impl Rules {
    pub fn of(issuer: &str, audience: &str) -> Rules {
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Rules { issuer, audience, leeway: leeway(), remembered: remembered() }
    }
}

fn leeway() -> Duration {
    Duration::from_secs(5)
}

fn remembered() -> usize {
    10_000
}

/// Bytes of a token: ten times what ours have.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    Expired,
    Invalid,
    /// There are no keys yet: nothing can be said of the token.
    Unknowable,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    keys: Keys,
    rules: Validation,
    leeway: Duration,
    good: Cache<Box<[u8]>, Good>,
}

#[derive(Clone)]
struct Good {
    caller: Caller,
    /// Seconds since the Unix epoch.
    until: u64,
    /// Of the keys it was checked with: a key that was taken back takes its tokens along.
    generation: u64,
}

impl Verifier {
    pub fn new(keys: Keys, rules: &Rules) -> Verifier {
        // One algorithm: what the token's header says is not asked (RFC 8725, 3.1).
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&rules.issuer]);
        validation.set_audience(&[&rules.audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        // Expiry is checked here, against our clock, for remembered tokens and new ones alike.
        validation.validate_exp = false;
        validation.leeway = rules.leeway.as_secs();
        let good = Cache::new(rules.remembered.max(1));
        Verifier(Arc::new(Inner { keys, rules: validation, leeway: rules.leeway, good }))
    }

    pub fn verify(&self, token: &str) -> Result<Caller, Rejected> {
        self.verify_bytes(token.as_bytes())
    }

    /// A token that is known need not be looked through for being a text.
    pub(super) fn verify_bytes(&self, token: &[u8]) -> Result<Caller, Rejected> {
        let now = clock::wall().as_secs();
        let keys = self.0.keys.current();
        let known = self.0.good.get(token).filter(|good| good.generation == keys.generation);
        let good = match known {
            Some(good) => good,
            None => {
                let good = self.check(token, &keys)?;
                self.0.good.insert(token.into(), good.clone());
                good
            }
        };
        if now >= good.until {
            return Err(Rejected::Expired);
        }
        Ok(good.caller)
    }

    fn check(&self, token: &[u8], keys: &super::keys::Set) -> Result<Good, Rejected> {
        if keys.by_id.is_empty() {
            return Err(Rejected::Unknowable);
        }
        if token.len() > LONGEST {
            return Err(Rejected::Invalid);
        }
        let token = std::str::from_utf8(token).map_err(|_| Rejected::Invalid)?;
        let header = decode_header(token).map_err(|_| Rejected::Invalid)?;
        // We understand no extension, so none may be critical (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return Err(Rejected::Invalid);
        }
        let kid = header.kid.ok_or(Rejected::Invalid)?;
        let Some(key) = keys.by_id.get(&kid) else {
            self.0.keys.miss();
            return Err(Rejected::Invalid);
        };
        let claims = decode::<Claims>(token, key, &self.0.rules)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Rejected::Expired,
                _ => Rejected::Invalid,
            })?
            .claims;
        let until = claims.exp.saturating_add(self.0.leeway.as_secs());
        let caller = Caller { id: claims.sub, role: claims.role };
        Ok(Good { caller, until, generation: keys.generation })
    }
}
