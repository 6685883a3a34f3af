//! Access tokens with key pairs of the test's own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use shared::clock;
use shared::pipeline::auth::{Claims, Jwk};

/// A number is as good as a secret here.
pub(crate) struct Signer {
    kid: String,
    key: SigningKey,
}

impl Signer {
    pub(crate) fn new(number: u8) -> Signer {
        Signer { kid: format!("key-{number}"), key: SigningKey::from_bytes(&[number; 32]) }
    }

    pub(crate) fn public(&self) -> Jwk {
        Jwk::ed25519(self.kid.as_str(), BASE64.encode(self.key.verifying_key().to_bytes()))
    }

    /// Good for so many seconds.
    pub(crate) fn token(&self, id: &str, seconds: u64) -> String {
        let now = clock::wall().as_secs();
        let claims = Claims {
            iss: "user-rpc".to_owned(),
            aud: "order-api".to_owned(),
            sub: id.to_owned(),
            role: "customer".to_owned(),
            iat: now,
            nbf: now,
            exp: now + seconds,
        };
        self.sign(&Header::new(Algorithm::EdDSA), &claims)
    }

    /// Whatever these say, with the key's id.
    pub(crate) fn sign(&self, header: &Header, claims: &Claims) -> String {
        let header = Header { kid: Some(self.kid.clone()), ..header.clone() };
        let key = EncodingKey::from_ed_der(self.key.to_pkcs8_der().unwrap().as_bytes());
        encode(&header, claims, &key).unwrap()
    }
}
