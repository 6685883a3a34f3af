//! What becomes of a charge, by its card; and that nobody keeps the card.

use std::time::Duration;

use http::Method;
use serde_json::json;
use shared::clock;
use shared::config::Error;
use shared::telemetry::log;
use shared::testing::eventually;
use tempfile::TempDir;

use crate::world::{BREAKS, GOOD, PENDING, UNANSWERED, World, configuration, is, refused, request};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_good_card_is_charged() {
    let world = World::new().await;
    let charge = world.charge("one", GOOD).await;
    is(&charge, "succeeded");
    let (created_at, decided_at) = (&charge.1["created_at"], &charge.1["decided_at"]);
    assert_eq!(created_at, decided_at);
    assert!(created_at.as_str().unwrap().ends_with('Z'));
    let expected = json!({
        "key": "one", "status": "succeeded", "amount": 1999, "currency": "EUR", "card_brand": "visa",
        "card_last4": "4242", "reference": "order 17", "created_at": created_at, "decided_at": decided_at,
    });
    assert_eq!(charge.1, expected);
    assert_eq!(world.get("one").await, charge);
}

#[tokio::test]
async fn a_declined_card_says_why() {
    let world = World::new().await;
    for (card, code) in [
        ("4000000000000002", "card_declined"),
        ("4000000000009995", "insufficient_funds"),
        ("4000000000000069", "expired_card"),
        ("4000000000000127", "incorrect_cvc"),
        ("5555555555554444", "card_declined"),
        ("378282246310005", "card_declined"),
    ] {
        let charge = world.charge(card, card).await;
        is(&charge, "declined");
        assert_eq!(charge.1["decline_code"], code, "{card}");
        assert_eq!(world.get(card).await, charge);
    }
    let mut old = request(GOOD);
    (old["card"]["exp_year"], old["card"]["exp_month"]) = (json!(2020), json!(1));
    let charge = world.post(Some("old"), &old).await.unwrap();
    is(&charge, "declined");
    assert_eq!(charge.1["decline_code"], "expired_card");
}

#[tokio::test]
async fn a_pending_charge_is_decided_later() {
    let world = World::with(|config| config.settle_after = Duration::from_secs(1)).await;
    let decides = async |card: &str, status: &str| {
        let charge = world.charge(card, card).await;
        is(&charge, "pending");
        assert!(charge.1.get("decided_at").is_none() && charge.1.get("decline_code").is_none());
        assert_eq!(world.charge(card, card).await, charge, "the same key again");
        let decided = eventually(SOON, async || {
            let charge = world.get(card).await;
            (charge.1["status"] != "pending").then_some(charge)
        })
        .await;
        is(&decided, status);
        assert!(decided.1["decided_at"].as_str() > decided.1["created_at"].as_str());
        assert_eq!(decided.1["created_at"], charge.1["created_at"]);
        assert_eq!(decided.1.get("decline_code").is_some(), status == "declined");
        assert_eq!(world.charge(card, card).await, decided);
    };
    tokio::join!(decides(PENDING, "succeeded"), decides("4000000000000051", "declined"));
    is(&world.refund(PENDING).await, "refunded");
}

#[tokio::test]
async fn a_provider_that_breaks_has_charged_nothing_and_forgets_the_key() {
    let world = World::new().await;
    for _ in 0..2 {
        let broken = world.charge("one", BREAKS).await;
        refused(&broken, 500, "internal");
        assert!(!broken.1.to_string().contains("card"), "nothing of the cause");
        refused(&world.get("one").await, 404, "not_found");
    }
    is(&world.charge("one", GOOD).await, "succeeded");
    refused(&world.charge("one", BREAKS).await, 422, "idempotency_key_reused");
    is(&world.void("two").await, "voided");
    refused(&world.charge("two", BREAKS).await, 409, "voided");
}

#[tokio::test]
async fn a_charge_that_is_never_answered_is_made() {
    let world = World::with(|config| config.hang_for = Duration::from_millis(300)).await;
    let start = clock::tick();
    refused(&world.charge("one", UNANSWERED).await, 504, "deadline_exceeded");
    assert!(clock::tick() - start >= 300_000_000);
    is(&world.get("one").await, "succeeded");
    refused(&world.charge("one", UNANSWERED).await, 504, "deadline_exceeded");
    refused(&world.charge("one", GOOD).await, 422, "idempotency_key_reused");
    assert_eq!(world.list("").await.1["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_client_does_not_wait_for_ever_and_a_stop_not_at_all() {
    let world = World::new().await;
    let brief = tokio::time::timeout(Duration::from_millis(100), world.charge("one", UNANSWERED));
    assert!(brief.await.is_err());
    is(&world.get("one").await, "succeeded");
    let request = request(UNANSWERED);
    let waits = world.post(Some("two"), &request);
    let stops = async {
        eventually(SOON, async || (world.get("two").await.0 == 200).then_some(())).await;
        let start = clock::tick();
        world.lifecycle.stop().await;
        Duration::from_nanos(clock::tick() - start)
    };
    let (answer, took) = tokio::join!(waits, stops);
    refused(&answer.unwrap(), 504, "deadline_exceeded");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn what_is_no_request_is_refused_with_all_its_faults() {
    let world = World::new().await;
    let bad = json!({
        "amount": 0,
        "currency": "EURO",
        "card": {"number": "4242424242424241", "exp_month": 13, "exp_year": 99, "cvc": "12a", "name": "Ada"},
        "colour": "red",
    });
    let told = world.post(Some("one"), &bad).await.unwrap();
    refused(&told, 400, "invalid_argument");
    let errors = told.1["errors"].as_array().unwrap();
    let mut pointers: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    let expected = [
        "/amount",
        "/card/cvc",
        "/card/exp_month",
        "/card/exp_year",
        "/card/name",
        "/card/number",
        "/colour",
        "/currency",
        "/reference",
    ];
    assert_eq!(pointers, expected);
    assert!(!told.1.to_string().contains("4242424242424241"));
    refused(&world.post(None, &request(GOOD)).await.unwrap(), 400, "idempotency_key_missing");
    let long = "k".repeat(256);
    refused(&world.post(Some(&long), &request(GOOD)).await.unwrap(), 400, "invalid_argument");
    assert_eq!(world.list("").await.1["items"], json!([]));
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let world = World::new().await;
    for (method, path, status) in [
        (Method::GET, "/v1/refunds", 404),
        (Method::DELETE, "/v1/charges", 405),
        (Method::GET, "/v1/charges/one/void", 405),
    ] {
        let answer = world.client.route(method, path).to(path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[tokio::test]
async fn no_file_and_no_line_holds_a_number_or_a_cvc() {
    log::capture();
    let world = World::with(|config| config.hang_for = Duration::ZERO).await;
    let cards = [GOOD, BREAKS, UNANSWERED, PENDING, "4000000000009995"];
    for (at, card) in cards.into_iter().enumerate() {
        world.charge(&format!("charge-{at}"), card).await;
    }
    let mut files = 0;
    for file in world.folder.path().read_dir().unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(cards.iter().all(|card| !text.contains(card)));
        files += usize::from(text.contains("order 17"));
    }
    assert!(files > 0, "the files are those that are written");
    assert!(!log::captured("/v1/charges").is_empty(), "lines are captured");
    for card in cards {
        assert_eq!(log::captured(card), Vec::<String>::new());
    }
}

#[test]
fn a_provider_hangs_no_longer_than_the_contract_lets_it() {
    let folder = TempDir::new().unwrap();
    assert_eq!(configuration(&folder).own.hang_for, Duration::from_secs(30));
    let text = include_str!("../../etc/payment-sim.yaml").replace("HangFor: 30s", "HangFor: 2m");
    match shared::config::parse::<payment_sim::config::Config>("x.yaml", &text, &|_| None) {
        Err(Error::Faulty { faults, .. }) => assert_eq!(faults, ["HangFor: must be at most 60s"]),
        _ => panic!("it is refused"),
    }
}
