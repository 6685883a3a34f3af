//! The reconciler: what became of payments whose answer was lost, and money that is owed back.

use std::time::Duration;

use shared::testing::eventually;

use crate::provider::{BREAKS, GOOD, SLOW, SLOW_DECLINED, UNANSWERED};
use crate::world::{SOON, World, history, reason, state, world, world_with};

async fn attempt(world: &World, order_id: &str) -> crate::records::Attempt {
    world.records.attempts(order_id).await.pop().unwrap()
}

/// Nobody waits long for an answer, and nobody looks before the test says so.
fn unanswered(config: &mut order_rpc::config::Config) {
    config.reconcile.after = Duration::from_secs(3600);
    config.provider.timeout = Duration::from_millis(500);
}

#[tokio::test]
async fn a_charge_that_never_was_is_voided_and_the_order_may_be_paid_anew() {
    let world = world().await;
    let placed = world.placed("anna").await;
    assert_eq!(world.pay("anna", &placed.id, "k", BREAKS).await.unwrap().status, "paying");
    let back = world.becomes("anna", &placed.id, "pending_payment").await;
    assert_eq!(back.history.last().unwrap().reason, "the payment did not go through");
    // To its customer it is a payment that was not made.
    assert_eq!(back.payment.unwrap().status, "declined");
    let void = attempt(&world, &placed.id).await;
    assert_eq!(void.status, "void");
    assert_eq!(world.provider.calls_about(&void.id), ["charge", "look_up", "void"]);
    assert_eq!(world.pay("anna", &placed.id, "l", GOOD).await.unwrap().status, "paid");
    assert_eq!(world.pay("anna", &placed.id, "k", BREAKS).await.unwrap().status, "paying");
    assert_eq!(world.provider.taken(&placed.id), 1);
    world.audit().await;
}

#[tokio::test]
async fn a_charge_whose_answer_never_came_is_found() {
    let world = world_with(unanswered).await;
    let placed = world.placed("anna").await;
    assert_eq!(world.pay("anna", &placed.id, "k", UNANSWERED).await.unwrap().status, "paying");
    eventually(SOON, async || (world.provider.taken(&placed.id) == 1).then_some(())).await;
    world.records.check_now().await;
    let paid = world.becomes("anna", &placed.id, "paid").await;
    assert_eq!(history(&paid)[1..], ["pending_payment→paying", "paying→paid"]);
    assert!(paid.payment.unwrap().paid_at_ms > 0);
    assert_eq!(world.provider.calls("void"), 0);
    world.audit().await;
}

#[tokio::test]
async fn what_is_pending_is_asked_about_until_it_is_decided() {
    for (number, status, payment) in
        [(SLOW, "paid", "succeeded"), (SLOW_DECLINED, "pending_payment", "declined")]
    {
        let world = world().await;
        let placed = world.placed("anna").await;
        assert_eq!(world.pay("anna", &placed.id, "k", number).await.unwrap().status, "paying");
        eventually(SOON, async || (world.provider.calls("look_up") >= 3).then_some(())).await;
        assert_eq!(world.get("anna", &placed.id).await.unwrap().status, "paying");
        world.provider.decide();
        let decided = world.becomes("anna", &placed.id, status).await;
        assert_eq!(decided.payment.unwrap().status, payment);
        assert!(attempt(&world, &placed.id).await.checks >= 3);
        assert_eq!(world.provider.calls("void"), 0);
        world.audit().await;
    }
}

#[tokio::test]
async fn waits_between_two_looks_grow() {
    let world = world_with(|config| {
        config.reconcile.after = Duration::from_millis(20);
        config.reconcile.back_off = Duration::from_secs(3600);
    })
    .await;
    let placed = world.placed("anna").await;
    let before = shared::clock::wall_ms();
    world.pay("anna", &placed.id, "k", SLOW).await.unwrap();
    eventually(SOON, async || (world.provider.calls("look_up") >= 6).then_some(())).await;
    // The first look waits for 20 ms, and each of the next five for 20, 40, 80, 160 and 320 after the one before.
    let waited = shared::clock::wall_ms() - before;
    assert!(waited >= 640, "{waited}");
}

#[tokio::test]
async fn while_the_provider_is_broken_nothing_is_decided() {
    let world = world().await;
    let placed = world.placed("anna").await;
    world.provider.break_down("look_up");
    world.pay("anna", &placed.id, "k", BREAKS).await.unwrap();
    eventually(SOON, async || (world.provider.calls("look_up") >= 2).then_some(())).await;
    assert_eq!(world.get("anna", &placed.id).await.unwrap().status, "paying");
    // It is not voided by halves either.
    world.provider.break_down("void");
    world.provider.mend();
    world.provider.break_down("void");
    eventually(SOON, async || (world.provider.calls("void") >= 2).then_some(())).await;
    assert_eq!(world.get("anna", &placed.id).await.unwrap().status, "paying");
    world.provider.mend();
    world.becomes("anna", &placed.id, "pending_payment").await;
    world.audit().await;
}

#[tokio::test]
async fn a_charge_that_was_paid_back_by_hand_is_no_payment() {
    let world = world_with(unanswered).await;
    let placed = world.placed("anna").await;
    world.pay("anna", &placed.id, "k", UNANSWERED).await.unwrap();
    eventually(SOON, async || (world.provider.taken(&placed.id) == 1).then_some(())).await;
    world.provider.pay_back_by_hand(&attempt(&world, &placed.id).await.id);
    world.records.check_now().await;
    world.becomes("anna", &placed.id, "pending_payment").await;
    assert_eq!(attempt(&world, &placed.id).await.status, "void");
    world.audit().await;
}

#[tokio::test]
async fn nobody_asks_while_the_request_is_still_at_work() {
    let world = world().await;
    let placed = world.placed("anna").await;
    world.provider.shut();
    let paying = world.pay("anna", &placed.id, "k", GOOD);
    let later = async {
        eventually(SOON, async || (world.provider.calls("charge") > 0).then_some(())).await;
        // Many rounds of the reconciler, told by what the sweeper does in as many.
        let other = world.placed("anna").await;
        world.records.let_time_pass(&other.id).await;
        world.becomes("anna", &other.id, "expired").await;
        world.provider.open();
    };
    let (paid, ()) = tokio::join!(paying, later);
    assert_eq!(paid.unwrap().status, "paid");
    assert_eq!((world.provider.calls("look_up"), world.provider.calls("void")), (0, 0));
}

#[tokio::test]
async fn a_charge_that_arrives_after_its_void_never_happens() {
    // The reconciler comes by at once, while the charge is still under way.
    let world = world().await;
    let placed = world.placed("anna").await;
    world.provider.shut();
    let paying = world.pay("anna", &placed.id, "k", GOOD);
    let meanwhile = async {
        eventually(SOON, async || (world.provider.calls("charge") > 0).then_some(())).await;
        world.records.check_now().await;
        world.becomes("anna", &placed.id, "pending_payment").await;
        world.provider.open();
    };
    let (refused, ()) = tokio::join!(paying, meanwhile);
    let refused = refused.unwrap_err();
    assert_eq!(refused.reason(), "payment_declined");
    assert_eq!(refused.extra("decline_code").unwrap(), "processing_error");
    assert_eq!(world.provider.taken(&placed.id), 0);
    assert_eq!(reason(world.pay("anna", &placed.id, "k", GOOD).await), "payment_declined");
    assert_eq!(world.pay("anna", &placed.id, "l", GOOD).await.unwrap().status, "paid");
    world.audit().await;
}

#[tokio::test]
async fn what_the_reconciler_wrote_first_stands() {
    let world = world_with(|config| config.provider.timeout = Duration::from_secs(3)).await;
    let placed = world.placed("anna").await;
    // The charge is made, and its answer does not come in time; but the reconciler has it already.
    let paying = world.pay("anna", &placed.id, "k", UNANSWERED);
    let meanwhile = async {
        eventually(SOON, async || (world.provider.taken(&placed.id) == 1).then_some(())).await;
        world.records.check_now().await;
        world.becomes("anna", &placed.id, "paid").await;
    };
    let (paid, ()) = tokio::join!(paying, meanwhile);
    assert_eq!(paid.unwrap().status, "paid");
    world.audit().await;
}

#[tokio::test]
async fn many_instances_ask_once_for_each_look() {
    let mut world = world_with(|config| {
        config.reconcile.after = Duration::from_secs(3600);
        config.reconcile.every = Duration::from_millis(3);
    })
    .await;
    for _ in 0..3 {
        world.start().await;
    }
    let mut orders = Vec::new();
    for _ in 0..10 {
        let placed = world.placed("anna").await;
        world.pay("anna", &placed.id, &placed.id, SLOW).await.unwrap();
        orders.push(placed.id);
    }
    world.provider.decide();
    world.records.check_now().await;
    for id in &orders {
        world.becomes("anna", id, "paid").await;
    }
    assert_eq!(world.provider.calls("look_up"), 10);
    world.audit().await;
}

#[tokio::test]
async fn what_is_owed_is_paid_back_when_the_provider_can() {
    let world = world().await;
    let paid = world.paid("anna").await;
    world.provider.break_down("refund");
    let refunded = world.cancel("anna", &paid.id, "").await.unwrap();
    assert_eq!(
        (refunded.status.as_str(), refunded.payment.unwrap().status.as_str()),
        ("refunded", "refund_pending")
    );
    eventually(SOON, async || (world.provider.calls("refund") >= 3).then_some(())).await;
    assert_eq!(attempt(&world, &paid.id).await.status, "refund_pending");
    assert_eq!(world.provider.taken(&paid.id), 1);
    world.provider.mend();
    let is_back = async || (attempt(&world, &paid.id).await.status == "refunded").then_some(());
    eventually(SOON, is_back).await;
    assert_eq!(world.provider.taken(&paid.id), 0);
    assert_eq!(state(world.refund(&paid.id, "").await), "refunded");
    world.audit().await;
}
