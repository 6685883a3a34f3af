//! Races: of many who move one order at once, each move is made by one.

use futures_util::future::{join_all, join3};

use crate::provider::{GOOD, SLOW};
use crate::world::{Answer, World, fresh, world, world_with};

fn won(answers: &[Answer]) -> usize {
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused.reason(), "illegal_transition", "{refused:?}");
    }
    answers.iter().filter(|answer| answer.is_ok()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_pay_one_pays() {
    let world = world().await;
    for _ in 0..5 {
        let placed = world.placed("anna").await;
        let keys: Vec<String> = (0..12).map(|_| fresh("k")).collect();
        let answers = join_all(keys.iter().map(|key| world.pay("anna", &placed.id, key, GOOD))).await;
        assert_eq!(won(&answers), 1);
        assert_eq!(world.provider.taken(&placed.id), 1);
    }
    assert_eq!(world.provider.calls("charge"), 5);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_paid_or_expires() {
    let world = world().await;
    for round in 0..10 {
        let placed = world.placed("anna").await;
        let pay = async |key: String| world.pay("anna", &placed.id, &key, GOOD).await;
        let expire = async {
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            world.records.let_time_pass(&placed.id).await;
        };
        let ((), first, second) = join3(expire, pay(fresh("k")), pay(fresh("k"))).await;
        let paid = won(&[first, second]);
        if paid == 0 {
            world.becomes("anna", &placed.id, "expired").await;
        } else {
            assert_eq!((paid, world.records.status(&placed.id).await.as_str()), (1, "paid"));
        }
        assert_eq!(world.provider.taken(&placed.id), paid);
    }
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_and_its_cancelling_leave_the_money_where_it_belongs() {
    let world = world().await;
    for _ in 0..10 {
        let placed = world.placed("anna").await;
        let pay = async |_| world.pay("anna", &placed.id, &fresh("k"), GOOD).await;
        let cancel = async |_| world.cancel("anna", &placed.id, "").await;
        let (paid, cancelled) =
            futures_util::future::join(join_all((0..4).map(pay)), join_all((0..4).map(cancel))).await;
        let (paid, cancelled) = (won(&paid), won(&cancelled));
        let status = world.records.status(&placed.id).await;
        match (paid, cancelled) {
            (1, 0) => assert_eq!((status.as_str(), world.provider.taken(&placed.id)), ("paid", 1)),
            (1, 1) => assert_eq!((status.as_str(), world.provider.taken(&placed.id)), ("refunded", 0)),
            (0, 1) => assert_eq!((status.as_str(), world.provider.charges_of(&placed.id)), ("cancelled", 0)),
            other => panic!("{other:?}: {status}"),
        }
    }
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_is_shipped_or_refunded() {
    let world = world().await;
    for _ in 0..10 {
        let paid = world.paid("anna").await;
        let ship = async |_| world.ship(&paid.id).await;
        let cancel = async |_| world.cancel("anna", &paid.id, "").await;
        let (shipped, cancelled) =
            futures_util::future::join(join_all((0..4).map(ship)), join_all((0..4).map(cancel))).await;
        assert_eq!(won(&shipped) + won(&cancelled), 1);
    }
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_goes_back_once() {
    let world = world().await;
    let paid = world.paid("anna").await;
    let answers = join_all((0..12).map(|_| world.refund(&paid.id, ""))).await;
    assert_eq!(won(&answers), 1);
    assert_eq!(world.provider.calls("refund"), 1);
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_share_the_work_of_one_database() {
    let mut world = world_with(|_| {}).await;
    for _ in 0..2 {
        world.start().await;
    }
    let customers: Vec<String> = (0..12).map(|_| fresh("customer")).collect();
    let shop = async |user: &String| -> Option<String> {
        let placed = world.place(user, &fresh("k"), &[("spoon", 1)]).await.ok()?;
        let number = if placed.id.ends_with(['0', '1', '2', '3']) { SLOW } else { GOOD };
        world.pay(user, &placed.id, &fresh("k"), number).await.ok()?;
        Some(placed.id)
    };
    let orders = join_all(customers.iter().map(shop)).await;
    world.provider.decide();
    for (user, order) in customers.iter().zip(orders) {
        world.becomes(user, &order.unwrap(), "paid").await;
    }
    all_once(&world).await;
}

async fn all_once(world: &World) {
    for (id, _, _) in world.records.orders().await {
        assert_eq!(world.provider.taken(&id), 1);
    }
    world.audit().await;
}
