//! A key is charged once, whoever asks how often and at the same time; or never, once it was voided.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::testing::eventually;
use tokio::task::JoinSet;

use crate::world::{GOOD, PENDING, World, is, refused, request};

#[tokio::test]
async fn the_same_request_under_the_same_key_is_the_same_charge() {
    let world = World::new().await;
    let first = world.charge("one", GOOD).await;
    assert_eq!(world.charge("one", GOOD).await, first);
    let changes: [(&str, Value); 5] = [
        ("/amount", json!(2000)),
        ("/currency", json!("USD")),
        ("/reference", json!("order 18")),
        ("/card/exp_year", json!(2098)),
        ("/card/number", json!("4000000000000002")),
    ];
    for (pointer, value) in changes {
        let mut other = request(GOOD);
        *other.pointer_mut(pointer).unwrap() = value;
        let told = world.post(Some("one"), &other).await.unwrap();
        refused(&told, 422, "idempotency_key_reused");
    }
    assert_eq!(world.get("one").await, first);
    is(&world.refund("one").await, "refunded");
    is(&world.charge("one", GOOD).await, "refunded");
}

#[tokio::test]
async fn keys_may_hold_what_paths_do_not() {
    let world = World::new().await;
    is(&world.charge("a/b c%", GOOD).await, "succeeded");
    is(&world.get("a%2Fb%20c%25").await, "succeeded");
    is(&world.refund("a%2Fb%20c%25").await, "refunded");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_time_make_one_charge() {
    let world = Arc::new(World::new().await);
    let mut clients = JoinSet::new();
    for client in 0..20 {
        let world = world.clone();
        // Half of them ask for something else.
        clients.spawn(async move {
            let mut request = request(GOOD);
            request["amount"] = json!(1 + client % 2);
            world.post(Some("one"), &request).await.unwrap()
        });
    }
    let told = clients.join_all().await;
    let charge = world.get("one").await;
    let (same, other): (Vec<_>, Vec<_>) = told.iter().partition(|told| told.0 == 200);
    assert_eq!((same.len(), other.len()), (10, 10));
    same.iter().for_each(|told| assert_eq!(**told, charge));
    other.iter().for_each(|told| refused(told, 422, "idempotency_key_reused"));
    assert_eq!(world.list("").await.1["items"], json!([charge.1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_and_a_charge_that_meet_agree() {
    let world = Arc::new(World::new().await);
    let mut meetings = JoinSet::new();
    for meeting in 0..30 {
        let world = world.clone();
        meetings.spawn(async move {
            let key = format!("key-{meeting}");
            let (charge, void) = match meeting % 2 {
                0 => tokio::join!(world.charge(&key, GOOD), world.void(&key)),
                _ => {
                    let (void, charge) = tokio::join!(world.void(&key), world.charge(&key, GOOD));
                    (charge, void)
                }
            };
            if void.1["status"] == "voided" {
                refused(&charge, 409, "voided");
            } else {
                is(&charge, "succeeded");
                assert_eq!(charge, void);
            }
            assert_eq!(world.get(&key).await, void);
        });
    }
    meetings.join_all().await;
}

#[tokio::test]
async fn a_voided_key_is_never_charged_and_a_charge_is_never_voided() {
    let world = World::new().await;
    let voided = world.void("one").await;
    is(&voided, "voided");
    let at = &voided.1["created_at"];
    let expected = json!({
        "key": "one", "status": "voided", "amount": 0, "currency": "", "card_brand": "", "card_last4": "",
        "reference": "", "created_at": at, "decided_at": at,
    });
    assert_eq!(voided.1, expected);
    assert_eq!(world.void("one").await, voided);
    refused(&world.charge("one", GOOD).await, 409, "voided");
    assert_eq!(world.get("one").await, voided);
    for (key, card, status) in
        [("two", GOOD, "succeeded"), ("three", PENDING, "pending"), ("four", "4000000000000002", "declined")]
    {
        let charge = world.charge(key, card).await;
        is(&charge, status);
        assert_eq!(world.void(key).await, charge);
    }
}

#[tokio::test]
async fn a_provider_that_starts_again_remembers_all() {
    let world = World::with(|config| config.settle_after = Duration::from_secs(1)).await;
    let charged = world.charge("charged", GOOD).await;
    is(&world.void("voided").await, "voided");
    world.charge("refunded", GOOD).await;
    is(&world.refund("refunded").await, "refunded");
    is(&world.charge("pending", PENDING).await, "pending");
    // Settled as it was made, whatever the configuration says now.
    let world = world.again(|config| config.settle_after = Duration::from_secs(3600)).await;
    assert_eq!(world.charge("charged", GOOD).await, charged);
    refused(&world.charge("voided", GOOD).await, 409, "voided");
    is(&world.get("refunded").await, "refunded");
    eventually(Duration::from_secs(10), async || {
        (world.get("pending").await.1["status"] == "succeeded").then_some(())
    })
    .await;
    assert_eq!(world.list("").await.1["items"].as_array().unwrap().len(), 4);
}
