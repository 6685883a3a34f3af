//! The key pair behind access tokens. Only this service can sign; everybody can verify.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use proto::user::v1::PublicKey;
use sha2::{Digest, Sha256};
use shared::clock;
use shared::config::Mode;
use shared::error::{Error, Result};
use shared::pipeline::auth::Claims;
use uuid::Uuid;

use crate::config::Token;

pub(crate) struct Signer {
    header: Header,
    key: EncodingKey,
    public: Vec<PublicKey>,
    /// From which the successor of a refresh token is derived.
    seed: [u8; 32],
}

impl Signer {
    /// Reads the keys; in development the first start makes one.
    pub(crate) fn load(conf: &Token, mode: Mode) -> anyhow::Result<Signer> {
        if mode.is_development() && !conf.signing_key.exists() {
            make(&conf.signing_key)?;
        }
        let current = read(&conf.signing_key)?;
        let mut public = vec![public(&current)];
        for path in &conf.previous_keys {
            public.push(self::public(&read(path)?));
        }
        let header = Header { kid: Some(public[0].kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let key =
            EncodingKey::from_ed_der(current.to_pkcs8_der().context("the key cannot be encoded")?.as_bytes());
        let seed = Sha256::new().chain_update(b"refresh token").chain_update(current.to_bytes()).finalize();
        Ok(Signer { header, key, public, seed: seed.into() })
    }

    /// The key in use first.
    pub(crate) fn public_keys(&self) -> Vec<PublicKey> {
        self.public.clone()
    }

    pub(crate) fn access_token(&self, conf: &Token, user_id: &str, role: &str) -> Result<String> {
        let now = clock::wall().as_secs();
        let claims = Claims {
            iss: conf.issuer.clone(),
            aud: conf.audience.clone(),
            sub: user_id.to_owned(),
            role: role.to_owned(),
            iat: now,
            nbf: now,
            exp: now + conf.access_ttl.as_secs(),
        };
        encode(&self.header, &claims, &self.key).map_err(Error::internal)
    }

    /// The same for the same token, so that a lost answer can be given again without a token being stored; and nobody
    /// who has the one can tell the other.
    pub(crate) fn successor(&self, refresh_token: &str) -> String {
        let digest = Sha256::new().chain_update(self.seed).chain_update(refresh_token).finalize();
        BASE64.encode(digest)
    }
}

fn make(path: &Path) -> anyhow::Result<()> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("no random numbers")?;
    let pem =
        SigningKey::from_bytes(&seed).to_pkcs8_pem(LineEnding::LF).context("the key cannot be encoded")?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    // Whole or not at all: of several instances that start at once one key stays, and all of them read that.
    let whole = path.with_extension(format!("{}.new", Uuid::now_v7()));
    let written = write(&whole, &pem).and_then(|()| std::fs::hard_link(&whole, path));
    std::fs::remove_file(&whole).ok();
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        written => written.with_context(|| format!("{} cannot be written", path.display())),
    }
}

fn write(path: &Path, pem: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()
}

fn read(path: &Path) -> anyhow::Result<SigningKey> {
    let pem = match std::fs::read_to_string(path) {
        Ok(pem) => pem,
        Err(error) => bail!(
            "{} cannot be read: {error}; make one with: openssl genpkey -algorithm ed25519",
            path.display()
        ),
    };
    SigningKey::from_pkcs8_pem(&pem)
        .with_context(|| format!("{} is no Ed25519 key in PKCS #8", path.display()))
}

/// A key's id is its thumbprint, so that it is the same wherever it is read.
fn public(key: &SigningKey) -> PublicKey {
    let public = key.verifying_key().to_bytes();
    PublicKey { kid: BASE64.encode(&Sha256::digest(public)[..12]), x: BASE64.encode(public) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_keys_that_are_made_at_once_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper").join("key.pem");
        let made: Vec<PublicKey> = std::thread::scope(|scope| {
            let make = || {
                make(&path).unwrap();
                public(&read(&path).unwrap())
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|key| key.kid == made[0].kid));
        let left = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1);
    }
}
