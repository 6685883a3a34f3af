//! Paying: what the provider may answer, keys, cards, and what is refused.

use std::time::Duration;

use proto::order::v1::Card;
use shared::error::Code;
use shared::testing::eventually;

use crate::catalogue::Fault;
use crate::provider::{BREAKS, DECLINED, GOOD, POOR, SLOW, UNANSWERED};
use crate::world::{SOON, fresh, history, pointers, reason, state, world, world_with};

/// Nothing but the request itself finds out what became of a payment.
fn nobody_asks(config: &mut order_rpc::config::Config) {
    config.reconcile.every = Duration::from_secs(3600);
}

#[tokio::test]
async fn a_good_card_pays_the_whole_order() {
    let world = world().await;
    let placed = world.placed("anna").await;
    let before = shared::clock::wall_ms();
    let paid = world.pay("anna", &placed.id, "k", GOOD).await.unwrap();
    assert_eq!(paid.status, "paid");
    assert_eq!(history(&paid), ["→pending_payment", "pending_payment→paying", "paying→paid"]);
    let payment = paid.payment.as_ref().unwrap();
    assert_eq!(payment.status, "succeeded");
    assert_eq!((payment.card_brand.as_str(), payment.card_last4.as_str()), ("visa", "4242"));
    assert!(payment.paid_at_ms >= before);
    assert_eq!(world.get("anna", &placed.id).await.unwrap(), paid);
    let [attempt] = world.records.attempts(&placed.id).await.try_into().unwrap();
    let charge = world.provider.charge_of(&attempt.id).unwrap();
    assert_eq!(
        (charge.amount, charge.currency.as_str(), charge.reference),
        (2_500, "EUR", placed.id.clone())
    );
    assert_eq!(world.catalogue.hold(&placed.id), Some("pinned"));
    assert_eq!(state(world.pay("anna", &placed.id, "l", GOOD).await), "paid");
    assert_eq!((world.provider.taken(&placed.id), world.records.open_keys().await), (1, 0));
    world.audit().await;
}

#[tokio::test]
async fn a_decline_is_the_answer_of_its_key_and_another_key_may_pay() {
    let world = world().await;
    let placed = world.placed("anna").await;
    for (key, number, code) in [("a", DECLINED, "card_declined"), ("b", POOR, "insufficient_funds")] {
        for _ in 0..2 {
            let declined = world.pay("anna", &placed.id, key, number).await.unwrap_err();
            assert_eq!((declined.code(), declined.reason()), (Code::PaymentRequired, "payment_declined"));
            assert_eq!(declined.extra("decline_code").unwrap(), code);
        }
        let now = world.get("anna", &placed.id).await.unwrap();
        assert_eq!(now.status, "pending_payment");
        let payment = now.payment.unwrap();
        assert_eq!((payment.status.as_str(), payment.paid_at_ms), ("declined", 0));
    }
    let paid = world.pay("anna", &placed.id, "c", GOOD).await.unwrap();
    assert_eq!(paid.status, "paid");
    assert_eq!(paid.history[2].reason, "the payment was declined (card_declined)");
    assert_eq!(paid.payment.unwrap().status, "succeeded");
    // What the first key answered is not changed by that.
    assert_eq!(reason(world.pay("anna", &placed.id, "a", DECLINED).await), "payment_declined");
    assert_eq!((world.provider.calls("charge"), world.provider.taken(&placed.id)), (3, 1));
    world.audit().await;
}

#[tokio::test]
async fn where_the_outcome_is_not_known_the_order_is_paying() {
    for number in [SLOW, BREAKS, UNANSWERED] {
        let world = world_with(|config| {
            nobody_asks(config);
            config.provider.timeout = Duration::from_millis(500);
        })
        .await;
        let placed = world.placed("anna").await;
        let paying = world.pay("anna", &placed.id, "k", number).await.unwrap();
        assert_eq!(
            (paying.status.as_str(), paying.payment.as_ref().unwrap().status.as_str()),
            ("paying", "pending")
        );
        // The same key says the same, and asks nobody.
        assert_eq!(world.pay("anna", &placed.id, "k", number).await.unwrap(), paying);
        assert_eq!(world.provider.calls("charge"), 1);
        assert_eq!(state(world.pay("anna", &placed.id, "l", GOOD).await), "paying");
        assert_eq!(state(world.cancel("anna", &placed.id, "").await), "paying");
        for refused in [world.ship(&placed.id).await, world.deliver(&placed.id).await] {
            assert_eq!(state(refused), "paying");
        }
        assert_eq!(state(world.refund(&placed.id, "").await), "paying");
        world.audit().await;
    }
}

#[tokio::test]
async fn a_provider_that_is_away_may_have_charged() {
    let world = world_with(|config| {
        nobody_asks(config);
        config.provider.url = "http://127.0.0.1:1".to_owned();
    })
    .await;
    let placed = world.placed("anna").await;
    assert_eq!(world.pay("anna", &placed.id, "k", GOOD).await.unwrap().status, "paying");
}

#[tokio::test]
async fn a_key_pays_once_and_for_one_order_and_card() {
    let world = world().await;
    let (first, second) = (world.placed("anna").await, world.placed("anna").await);
    let paid = world.pay("anna", &first.id, "k", GOOD).await.unwrap();
    world.ship(&first.id).await.unwrap();
    assert_eq!(world.pay("anna", &first.id, "k", GOOD).await.unwrap(), paid);
    for refused in
        [world.pay("anna", &second.id, "k", GOOD).await, world.pay("anna", &first.id, "k", DECLINED).await]
    {
        let refused = refused.unwrap_err();
        assert_eq!((refused.code(), refused.reason()), (Code::Unprocessable, "idempotency_key_reused"));
    }
    assert_eq!(world.get("anna", &second.id).await.unwrap().status, "pending_payment");
    assert_eq!(reason(world.pay("anna", &second.id, "", GOOD).await), "idempotency_key_missing");
    // A key of another use, and one of another customer, are other keys.
    let third = world.place("ben", "k", &[("pot", 1)]).await.unwrap();
    assert_eq!(world.pay("ben", &third.id, "k", GOOD).await.unwrap().status, "paid");
    assert_eq!(world.provider.calls("charge"), 2);
}

#[tokio::test]
async fn of_two_that_pay_at_once_one_does() {
    let world = world_with(nobody_asks).await;
    let placed = world.placed("anna").await;
    world.provider.shut();
    let first = world.pay("anna", &placed.id, "a", GOOD);
    let second = async {
        eventually(SOON, async || (world.provider.calls("charge") > 0).then_some(())).await;
        assert_eq!(state(world.pay("anna", &placed.id, "b", GOOD).await), "paying");
        assert_eq!(reason(world.pay("anna", &placed.id, "a", GOOD).await), "idempotency_in_flight");
        world.provider.open();
    };
    let (paid, ()) = tokio::join!(first, second);
    assert_eq!(paid.unwrap().status, "paid");
    assert_eq!((world.provider.calls("charge"), world.provider.taken(&placed.id)), (1, 1));
    world.audit().await;
}

#[tokio::test]
async fn what_is_no_card_is_refused_and_no_key_is_used_up() {
    let world = world().await;
    let placed = world.placed("anna").await;
    let card = |number: &str, exp_month, exp_year, cvc: &str| Card {
        number: number.into(),
        exp_month,
        exp_year,
        cvc: cvc.into(),
    };
    for (card, pointer) in [
        (card("4242424242424241", 12, 2099, "123"), "/card/number"),
        (card("4242-4242-4242-4242", 12, 2099, "123"), "/card/number"),
        (card(GOOD, 13, 2099, "123"), "/card/exp_month"),
        (card(GOOD, 12, 2020, "123"), "/card/exp_year"),
        (card(GOOD, 12, 2099, "12"), "/card/cvc"),
    ] {
        assert_eq!(pointers(world.pay_with("anna", &placed.id, "k", card).await), [pointer]);
    }
    assert_eq!((world.provider.calls("charge"), world.records.open_keys().await), (0, 0));
    assert_eq!(world.pay("anna", &placed.id, "k", GOOD).await.unwrap().status, "paid");
}

#[tokio::test]
async fn only_ones_own_order_can_be_paid() {
    let world = world().await;
    let placed = world.placed("anna").await;
    assert_eq!(reason(world.pay("ben", &placed.id, "k", GOOD).await), "not_found");
    assert_eq!(reason(world.pay("anna", "no such order", "k", GOOD).await), "not_found");
    assert_eq!(pointers(world.pay("", &placed.id, "k", GOOD).await), ["/user_id"]);
    assert_eq!(world.provider.calls("charge"), 0);
}

#[tokio::test]
async fn what_has_ended_cannot_be_paid() {
    let world = world().await;
    let (cancelled, expired) = (world.placed("anna").await, world.placed("anna").await);
    world.cancel("anna", &cancelled.id, "").await.unwrap();
    world.records.let_time_pass(&expired.id).await;
    world.becomes("anna", &expired.id, "expired").await;
    assert_eq!(state(world.pay("anna", &cancelled.id, "k", GOOD).await), "cancelled");
    assert_eq!(state(world.pay("anna", &expired.id, "k", GOOD).await), "expired");
    assert_eq!((world.provider.calls("charge"), world.records.open_keys().await), (0, 0));
}

#[tokio::test]
async fn an_order_whose_time_is_over_cannot_be_paid_though_no_sweeper_came_by() {
    let world = world_with(|config| config.order.sweep.every = Duration::from_secs(3600)).await;
    let placed = world.placed("anna").await;
    world.records.let_time_pass(&placed.id).await;
    assert_eq!(world.get("anna", &placed.id).await.unwrap().status, "pending_payment");
    assert_eq!(state(world.pay("anna", &placed.id, "k", GOOD).await), "expired");
    assert_eq!(world.get("anna", &placed.id).await.unwrap().status, "expired");
    assert_eq!((world.provider.calls("charge"), world.catalogue.calls("pin_reservation")), (0, 0));
    world.audit().await;
}

#[tokio::test]
async fn nobody_pays_for_stock_that_went_elsewhere() {
    let world = world().await;
    let placed = world.placed("anna").await;
    world.catalogue.end_hold(&placed.id, "expired");
    world.catalogue.set("pot", 2_500, 0);
    let refused = world.pay("anna", &placed.id, "k", GOOD).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::Conflict, "out_of_stock"));
    assert_eq!((refused.faults().len(), world.provider.calls("charge")), (0, 0));
    world.catalogue.set("pot", 2_500, 1);
    assert_eq!(world.pay("anna", &placed.id, "k", GOOD).await.unwrap().status, "paid");
    assert_eq!(world.catalogue.available("pot"), 0);
}

#[tokio::test]
async fn a_hold_that_ended_while_its_order_waits_is_our_fault() {
    let world = world().await;
    let placed = world.placed("anna").await;
    world.catalogue.end_hold(&placed.id, "released");
    assert_eq!(reason(world.pay("anna", &placed.id, "k", GOOD).await), "internal");
    assert_eq!((world.provider.calls("charge"), world.records.open_keys().await), (0, 0));
}

#[tokio::test]
async fn without_product_rpc_nothing_is_charged_and_the_key_is_free() {
    for fault in [Fault::Away, Fault::Lost, Fault::Hangs, Fault::Stuck] {
        let world = world_with(|config| config.product.timeout = Duration::from_millis(500)).await;
        let placed = world.placed("anna").await;
        world.catalogue.break_down("pin_reservation", fault);
        let refused = reason(world.pay("anna", &placed.id, "k", GOOD).await);
        assert!(matches!(refused.as_str(), "unavailable" | "deadline_exceeded"), "{refused}");
        assert_eq!(world.get("anna", &placed.id).await.unwrap().status, "pending_payment");
        world.catalogue.heal();
        assert_eq!(world.pay("anna", &placed.id, "k", GOOD).await.unwrap().status, "paid");
        assert_eq!(world.provider.calls("charge"), 1);
    }
}

#[tokio::test]
async fn a_customer_who_goes_away_has_paid_all_the_same() {
    let world = world_with(nobody_asks).await;
    let placed = world.placed("anna").await;
    world.provider.shut();
    {
        let paying = world.pay("anna", &placed.id, "k", GOOD);
        let arrived = eventually(SOON, async || (world.provider.calls("charge") > 0).then_some(()));
        tokio::select! {
            () = arrived => {}
            _ = paying => panic!("the provider is shut"),
        }
    }
    world.provider.open();
    let paid = world.becomes("anna", &placed.id, "paid").await;
    assert_eq!(world.pay("anna", &placed.id, "k", GOOD).await.unwrap(), paid);
    assert_eq!((world.provider.calls("charge"), world.provider.taken(&placed.id)), (1, 1));
}

#[tokio::test]
async fn who_lost_the_key_meanwhile_writes_what_was_charged_all_the_same() {
    let world = world_with(nobody_asks).await;
    let placed = world.placed("anna").await;
    world.provider.shut();
    let late = world.pay("anna", &placed.id, "k", GOOD);
    let other = async {
        eventually(SOON, async || (world.provider.calls("charge") > 0).then_some(())).await;
        // The first is taken for dead.
        world.records.end_leases().await;
        let paying = world.pay("anna", &placed.id, "k", GOOD).await.unwrap();
        assert_eq!(paying.status, "paying");
        world.provider.open();
        paying
    };
    let (paid, paying) = tokio::join!(late, other);
    assert_eq!(paid.unwrap().status, "paid");
    assert_eq!(world.get("anna", &placed.id).await.unwrap().status, "paid");
    // The key's answer is the one that was given first under it.
    assert_eq!(world.pay("anna", &placed.id, "k", GOOD).await.unwrap(), paying);
    assert_eq!((world.provider.calls("charge"), world.provider.taken(&placed.id)), (1, 1));
    world.audit().await;
}

#[tokio::test]
async fn of_two_with_one_key_of_which_one_is_late_one_charges() {
    for _ in 0..5 {
        let world = world_with(nobody_asks).await;
        let placed = world.placed("anna").await;
        world.catalogue.break_down("pin_reservation", Fault::Waits);
        let late = world.pay("anna", &placed.id, "k", GOOD);
        let other = async {
            eventually(SOON, async || (world.catalogue.calls("pin_reservation") > 0).then_some(())).await;
            world.records.end_leases().await;
            world.pay("anna", &placed.id, "k", GOOD).await
        };
        let both = async {
            eventually(SOON, async || (world.catalogue.calls("pin_reservation") > 1).then_some(())).await;
            world.catalogue.heal();
        };
        let (late, other, ()) = tokio::join!(late, other, both);
        // Who owns the key answers what became of its payment, whoever made it.
        assert!(matches!(other.unwrap().status.as_str(), "paying" | "paid"));
        match late {
            Ok(paid) => assert_eq!(paid.status, "paid"),
            Err(refused) => assert_eq!(refused.reason(), "illegal_transition"),
        }
        world.becomes("anna", &placed.id, "paid").await;
        assert_eq!((world.provider.calls("charge"), world.records.open_keys().await), (1, 0));
        assert!(world.pay("anna", &placed.id, "k", GOOD).await.is_ok());
        world.audit().await;
    }
}

#[tokio::test]
async fn no_card_is_kept() {
    let world = world_with(nobody_asks).await;
    for number in [GOOD, DECLINED, BREAKS] {
        let placed = world.placed("anna").await;
        let card = Card { number: number.into(), exp_month: 7, exp_year: 2098, cvc: "987".into() };
        world.pay_with("anna", &placed.id, &fresh("k"), card).await.ok();
        for step in world.records.steps(&placed.id).await {
            assert!(!format!("{step:?}").contains(number));
        }
        for event in world.records.events(&placed.id).await {
            assert!(!serde_json::to_string(&event).unwrap().contains(&number[8..]));
        }
    }
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for number in [GOOD, DECLINED, BREAKS] {
            assert!(!bytes.windows(number.len()).any(|window| window == number.as_bytes()));
        }
    }
}

/// Who wrote the attempt that succeeded had a clock that was late.
#[tokio::test]
async fn the_payment_that_is_shown_is_the_one_that_went_through() {
    let world = world().await;
    let placed = world.placed("anna").await;
    assert_eq!(reason(world.pay("anna", &placed.id, "k", DECLINED).await), "payment_declined");
    let paid = world.pay("anna", &placed.id, "l", GOOD).await.unwrap();
    let attempts = world.records.attempts(&placed.id).await;
    let good = attempts.iter().find(|attempt| attempt.status == "succeeded").unwrap();
    world.records.late_clock(&good.id).await;
    assert_eq!(world.get("anna", &placed.id).await.unwrap().payment, paid.payment);
}
