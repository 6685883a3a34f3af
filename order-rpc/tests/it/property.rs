//! Whatever is done to orders, in whatever order: the moves are legal and without gaps, each is told once, and money is
//! where the order says.

use proptest::prelude::*;
use shared::testing::eventually;
use tokio::runtime::Runtime;

use crate::provider::{BREAKS, DECLINED, GOOD, SLOW, SLOW_DECLINED, UNANSWERED};
use crate::world::{Answer, SOON, World, fresh, world_with};

#[derive(Debug, Clone)]
enum Command {
    Place,
    Pay(&'static str),
    PayAgain,
    Cancel,
    Ship,
    Deliver,
    Refund,
    Expire,
    Decide,
    BreakRefunds,
    Mend,
    LookNow,
    EndLeases,
}

fn command() -> impl Strategy<Value = (usize, Command)> {
    let card = prop::sample::select(vec![GOOD, GOOD, DECLINED, BREAKS, SLOW, SLOW_DECLINED, UNANSWERED]);
    let command = prop_oneof![
        2 => Just(Command::Place),
        6 => card.prop_map(Command::Pay),
        1 => Just(Command::PayAgain),
        2 => Just(Command::Cancel),
        3 => Just(Command::Ship),
        2 => Just(Command::Deliver),
        2 => Just(Command::Refund),
        1 => Just(Command::Expire),
        2 => Just(Command::Decide),
        1 => Just(Command::BreakRefunds),
        1 => Just(Command::Mend),
        2 => Just(Command::LookNow),
        1 => Just(Command::EndLeases),
    ];
    (0..3_usize, command)
}

/// A customer's orders, and the payment that was last asked for.
struct Customer<'a> {
    world: &'a World,
    orders: Vec<String>,
    last: Option<(String, String, &'static str)>,
}

impl Customer<'_> {
    async fn place(&mut self) {
        let placed = self.world.place("anna", &fresh("k"), &[("spoon", 1)]).await.unwrap();
        self.orders.push(placed.id);
    }

    async fn pay(&self, order_id: &str, key: &str, number: &str) -> Answer {
        self.world.pay("anna", order_id, key, number).await
    }

    async fn run(&mut self, which: usize, command: Command) {
        let world = self.world;
        let order_id = self.orders[which % self.orders.len()].clone();
        let answer = match command {
            Command::Place => return self.place().await,
            Command::Pay(number) => {
                let key = fresh("k");
                self.last = Some((order_id.clone(), key.clone(), number));
                self.pay(&order_id, &key, number).await
            }
            Command::PayAgain => match self.last.clone() {
                Some((order_id, key, number)) => self.pay(&order_id, &key, number).await,
                None => return,
            },
            Command::Cancel => world.cancel("anna", &order_id, "").await,
            Command::Ship => world.ship(&order_id).await,
            Command::Deliver => world.deliver(&order_id).await,
            Command::Refund => world.refund(&order_id, "").await,
            Command::Expire => return world.records.let_time_pass(&order_id).await,
            Command::Decide => return world.provider.decide(),
            Command::BreakRefunds => return world.provider.break_down("refund"),
            Command::Mend => return world.provider.mend(),
            Command::LookNow => return world.records.check_now().await,
            Command::EndLeases => return world.records.end_leases().await,
        };
        if let Err(refused) = answer {
            let reason = refused.reason();
            assert!(matches!(reason, "illegal_transition" | "payment_declined"), "{refused:?}");
        }
    }
}

async fn live(commands: Vec<(usize, Command)>) {
    let world = world_with(|config| {
        config.provider.timeout = std::time::Duration::from_millis(100);
        config.reconcile.after = std::time::Duration::from_millis(20);
        config.reconcile.back_off = std::time::Duration::from_millis(40);
    })
    .await;
    let mut customer = Customer { world: &world, orders: Vec::new(), last: None };
    customer.place().await;
    for (which, command) in commands {
        customer.run(which, command).await;
    }
    // What was left open comes to an end.
    world.provider.mend();
    world.provider.decide();
    let is_settled = async || {
        let mut open = false;
        for (id, status, _) in world.records.orders().await {
            let attempts = world.records.attempts(&id).await;
            open |= status == "paying" || attempts.iter().any(|attempt| attempt.status == "refund_pending");
        }
        (!open).then_some(())
    };
    eventually(SOON, is_settled).await;
    world.audit().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn orders_stay_sound(commands in prop::collection::vec(command(), 1..25)) {
        Runtime::new().unwrap().block_on(live(commands));
    }
}
