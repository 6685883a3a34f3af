//! Access tokens as user-rpc signs them, and as it does not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use proto::user::v1::PublicKey;
use shared::clock;
use shared::pipeline::auth::Claims;

/// A key pair; a number is as good as a secret here.
pub(crate) struct Signer {
    kid: String,
    key: SigningKey,
}

impl Signer {
    pub(crate) fn new(number: u8) -> Signer {
        Signer { kid: format!("key-{number}"), key: SigningKey::from_bytes(&[number; 32]) }
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey { kid: self.kid.clone(), x: BASE64.encode(self.key.verifying_key().to_bytes()) }
    }

    pub(crate) fn token(&self, id: &str, role: &str) -> String {
        self.sign(&claims(id, role))
    }

    pub(crate) fn sign(&self, claims: &Claims) -> String {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let key = EncodingKey::from_ed_der(self.key.to_pkcs8_der().unwrap().as_bytes());
        encode(&header, claims, &key).unwrap()
    }
}

/// Good for a minute.
pub(crate) fn claims(id: &str, role: &str) -> Claims {
    let now = clock::wall().as_secs();
    Claims {
        iss: "user-rpc".to_owned(),
        aud: "order-api".to_owned(),
        sub: id.to_owned(),
        role: role.to_owned(),
        iat: now,
        nbf: now,
        exp: now + 60,
    }
}
