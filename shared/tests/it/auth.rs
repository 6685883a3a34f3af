//! Tokens and the keys they are checked with: what rotates, and what is forgotten with it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::Method;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, Header};
use shared::clock;
use shared::pipeline::auth::{Caller, Claims, Keys, Rejected, Rules, Verifier};
use shared::rest::{Conf, Server, Spec};
use shared::testing::eventually;
use tower::ServiceExt;

use crate::token::Signer;
use crate::world;

fn verifier(keys: &Keys) -> Verifier {
    Verifier::new(keys.clone(), &Rules::of("user-rpc", "order-api"))
}

fn router(verifier: Verifier) -> Router {
    let server = Server::new(&Conf::default(), &world::lifecycle(), Some(verifier));
    let spec = Spec { jwt: true, ..Spec::new(Method::GET, "/mine", "mine") };
    server.routes().add(&spec, async || "yours").into_router(())
}

async fn status(router: &Router, token: &str) -> u16 {
    let req = Request::builder().uri("/mine").header(AUTHORIZATION, format!("Bearer {token}"));
    router.clone().oneshot(req.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn keys_rotate_without_a_moment_in_which_a_good_token_is_refused() {
    let (old, new, keys) = (Signer::new(1), Signer::new(2), Keys::default());
    keys.replace(vec![old.public()]);
    let router = router(verifier(&keys));
    let (before, after) = (old.token("anna", 600), new.token("anna", 600));
    assert_eq!((status(&router, &before).await, status(&router, &after).await), (200, 401));
    // Both, while tokens of the old one live.
    keys.replace(vec![new.public(), old.public()]);
    assert_eq!((status(&router, &before).await, status(&router, &after).await), (200, 200));
    // A token that was good a moment ago goes with its key, however well it is remembered.
    keys.replace(vec![new.public()]);
    assert_eq!((status(&router, &before).await, status(&router, &after).await), (401, 200));
    // And comes with it.
    keys.replace(vec![old.public()]);
    assert_eq!((status(&router, &before).await, status(&router, &after).await), (200, 401));
}

#[tokio::test]
async fn a_key_that_takes_the_id_of_another_does_not_take_its_tokens() {
    let (one, keys) = (Signer::new(1), Keys::default());
    keys.replace(vec![one.public()]);
    let verifier = verifier(&keys);
    let token = one.token("anna", 600);
    assert_eq!(verifier.verify(&token).unwrap(), Caller { id: "anna".into(), role: "customer".into() });
    let mut other = Signer::new(2).public();
    other.kid = one.public().kid;
    keys.replace(vec![other]);
    assert_eq!(verifier.verify(&token), Err(Rejected::Invalid));
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_asked_for_once_and_a_forged_signature_is_not() {
    let (known, unknown, keys) = (Signer::new(1), Signer::new(2), Keys::default());
    keys.replace(vec![known.public()]);
    let verifier = verifier(&keys);
    for _ in 0..3 {
        assert_eq!(verifier.verify(&unknown.token("anna", 600)), Err(Rejected::Invalid));
    }
    keys.missed().await;
    let again = tokio::time::timeout(Duration::from_millis(20), keys.missed());
    assert!(again.await.is_err(), "the misses before are one");
    let token = known.token("anna", 600);
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    assert_eq!(verifier.verify(&forged), Err(Rejected::Invalid));
    let again = tokio::time::timeout(Duration::from_millis(20), keys.missed());
    assert!(again.await.is_err());
}

#[tokio::test]
async fn a_remembered_token_ends_as_well() {
    let (signer, keys) = (Signer::new(1), Keys::default());
    keys.replace(vec![signer.public()]);
    let rules = Rules { leeway: Duration::ZERO, ..Rules::of("user-rpc", "order-api") };
    let verifier = Verifier::new(keys, &rules);
    let token = signer.token("anna", 2);
    assert!(verifier.verify(&token).is_ok());
    eventually(Duration::from_secs(10), async || {
        (verifier.verify(&token) == Err(Rejected::Expired)).then_some(())
    })
    .await;
}

fn claims() -> Claims {
    let now = clock::wall().as_secs();
    let [iss, aud, sub, role] = ["user-rpc", "order-api", "anna", "customer"].map(str::to_owned);
    Claims { iss, aud, sub, role, iat: now, nbf: now, exp: now + 600 }
}

#[test]
fn a_token_that_asks_for_more_than_we_understand_is_refused() {
    let (signer, keys) = (Signer::new(1), Keys::default());
    keys.replace(vec![signer.public()]);
    let verifier = verifier(&keys);
    let plain = Header::new(Algorithm::EdDSA);
    assert!(verifier.verify(&signer.sign(&plain, &claims())).is_ok());
    for crit in [vec!["b64".to_owned()], vec![]] {
        let header = Header { crit: Some(crit), ..plain.clone() };
        assert_eq!(verifier.verify(&signer.sign(&header, &claims())), Err(Rejected::Invalid));
    }
    let long = Claims { role: "x".repeat(8000), ..claims() };
    assert_eq!(verifier.verify(&signer.sign(&plain, &long)), Err(Rejected::Invalid));
}
