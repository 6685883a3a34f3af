//! The public keys that tokens may be signed with, by `kid`, replaced as a whole when they rotate.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// An Ed25519 public key as a JSON Web Key (RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub usage: String,
    pub kid: String,
    /// base64url without padding.
    pub x: String,
}

impl Jwk {
    pub fn ed25519(kid: impl Into<String>, x: impl Into<String>) -> Jwk {
        Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
            kid: kid.into(),
            x: x.into(),
        }
    }
}

/// Shared by who fetches keys and who verifies with them; reading takes no lock.
#[derive(Clone, Default)]
pub struct Keys(Arc<Known>);

#[derive(Default)]
struct Known {
    set: ArcSwap<Set>,
    missed: Notify,
}

#[derive(Default)]
pub(super) struct Set {
    pub(super) generation: u64,
    pub(super) by_id: HashMap<String, DecodingKey>,
    jwks: Vec<Jwk>,
}

impl Keys {
    /// Takes these keys from now on. One that cannot be read is left out, and logged.
    pub fn replace(&self, jwks: Vec<Jwk>) {
        let before = self.0.set.load();
        if before.jwks == jwks {
            return;
        }
        let mut by_id = HashMap::new();
        for jwk in &jwks {
            match DecodingKey::from_ed_components(&jwk.x) {
                Ok(key) => {
                    by_id.insert(jwk.kid.clone(), key);
                }
                Err(error) => tracing::warn!(kid = jwk.kid, %error, "a public key cannot be read"),
            }
        }
        self.0.set.store(Arc::new(Set { generation: before.generation + 1, by_id, jwks }));
    }

    pub fn all(&self) -> Vec<Jwk> {
        self.0.set.load().jwks.clone()
    }

    pub fn is_empty(&self) -> bool {
        self.0.set.load().by_id.is_empty()
    }

    /// Until a token named a key that is none of these, as after a rotation. A miss that nobody waited for is
    /// remembered once.
    pub async fn missed(&self) {
        self.0.missed.notified().await;
    }

    pub(super) fn miss(&self) {
        self.0.missed.notify_one();
    }

    pub(super) fn current(&self) -> arc_swap::Guard<Arc<Set>> {
        self.0.set.load()
    }
}
