//! Any sequence of calls, events and endings leaves the stock as a naive model says, and its moves add up to it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use shared::queue::Event;

use crate::world::{World, moved, world_with};

const PRODUCTS: [(&str, i64); 3] = [("camp-stove", 4), ("desk-lamp", 6), ("rain-gauge", 9)];
const ORDERS: [&str; 4] = ["a", "b", "c", "d"];

type Lines = Vec<(usize, i32)>;

#[derive(Debug, Clone)]
enum Step {
    Reserve(usize, Lines),
    Pin(usize),
    Release(usize),
    /// An event: from, to.
    Moved(usize, &'static str, &'static str),
    /// An event that was told before.
    Again(Index),
    Adjust(usize, i64),
    /// The time of an order's hold is over.
    Expire(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let order = 0..ORDERS.len();
    let line = subsequence(vec![0, 1, 2], 1..=3).prop_flat_map(|products| {
        products.into_iter().map(|product| (Just(product), 1..=3)).collect::<Vec<_>>()
    });
    let event = prop_oneof![
        3 => Just(("paying", "paid")),
        1 => Just(("pending_payment", "cancelled")),
        1 => Just(("pending_payment", "expired")),
        2 => Just(("paid", "refunded")),
        1 => Just(("shipped", "refunded")),
        1 => Just(("paying", "pending_payment")),
    ];
    prop_oneof![
        6 => (order.clone(), line.prop_shuffle()).prop_map(|(order, lines)| Step::Reserve(order, lines)),
        3 => order.clone().prop_map(Step::Pin),
        1 => order.clone().prop_map(Step::Release),
        5 => (order.clone(), event).prop_map(|(order, (from, to))| Step::Moved(order, from, to)),
        1 => any::<Index>().prop_map(Step::Again),
        2 => (0..PRODUCTS.len(), -5..6_i64).prop_map(|(product, delta)| Step::Adjust(product, delta)),
        2 => order.prop_map(Step::Expire),
    ]
}

/// What should be, told without a database.
struct Model {
    /// On hand, and reserved.
    stock: [(i64, i64); 3],
    orders: BTreeMap<usize, (&'static str, Lines)>,
    dead_letters: usize,
}

impl Model {
    /// What the call answers: nothing, or the reason of its refusal.
    fn apply(&mut self, step: &Step) -> &'static str {
        match step {
            Step::Reserve(order, lines) => self.reserve(*order, lines),
            Step::Pin(order) => self.pin(*order),
            Step::Release(order) => self.give_up(*order, false),
            Step::Moved(order, from, to) => {
                let refused = self.moved(*order, from, to);
                self.dead_letters += usize::from(refused);
                ""
            }
            Step::Again(_) => "",
            Step::Adjust(product, delta) => {
                let (on_hand, reserved) = &mut self.stock[*product];
                if *delta == 0 {
                    return "invalid_argument";
                }
                if *on_hand + delta < *reserved {
                    return "out_of_stock";
                }
                *on_hand += delta;
                ""
            }
            Step::Expire(order) => {
                if self.state(*order) == "held" {
                    self.end(*order, "expired");
                }
                ""
            }
        }
    }

    fn state(&self, order: usize) -> &'static str {
        self.orders.get(&order).map_or("", |known| known.0)
    }

    fn reserve(&mut self, order: usize, lines: &Lines) -> &'static str {
        let mut sorted = lines.clone();
        sorted.sort();
        match self.state(order) {
            "taken" | "released" | "returned" => return "illegal_transition",
            "held" | "pinned" | "expired" if self.orders[&order].1 != sorted => {
                return "idempotency_key_reused";
            }
            "held" | "pinned" => return "",
            _ => {}
        }
        self.hold(order, sorted, "held")
    }

    fn pin(&mut self, order: usize) -> &'static str {
        match self.state(order) {
            "" => "not_found",
            "pinned" => "",
            "held" => {
                self.set(order, "pinned");
                ""
            }
            "expired" => {
                let lines = self.orders[&order].1.clone();
                self.hold(order, lines, "pinned")
            }
            _ => "illegal_transition",
        }
    }

    fn hold(&mut self, order: usize, lines: Lines, state: &'static str) -> &'static str {
        for (product, quantity) in &lines {
            let (on_hand, reserved) = self.stock[*product];
            if on_hand - reserved < i64::from(*quantity) {
                return "out_of_stock";
            }
        }
        for (product, quantity) in &lines {
            self.stock[*product].1 += i64::from(*quantity);
        }
        self.orders.insert(order, (state, lines));
        ""
    }

    fn give_up(&mut self, order: usize, also_pinned: bool) -> &'static str {
        match self.state(order) {
            "" | "expired" => self.set(order, "released"),
            "held" => self.end(order, "released"),
            "pinned" if also_pinned => self.end(order, "released"),
            "pinned" | "taken" => return "illegal_transition",
            _ => {}
        }
        ""
    }

    /// `true` where it must not happen.
    fn moved(&mut self, order: usize, from: &str, to: &str) -> bool {
        let lines = self.orders.get(&order).map(|known| known.1.clone()).unwrap_or_default();
        match (from, to, self.state(order)) {
            (_, "cancelled" | "expired", _) => return !self.give_up(order, true).is_empty(),
            (_, "paid", "held" | "pinned") => {
                self.end(order, "taken");
                for (product, quantity) in lines {
                    self.stock[product].0 -= i64::from(quantity);
                }
            }
            ("paid", "refunded", "taken") => {
                self.set(order, "returned");
                for (product, quantity) in lines {
                    self.stock[product].0 += i64::from(quantity);
                }
            }
            (_, "paid", "taken") | ("paid", "refunded", "returned") => {}
            (_, "paid", _) | ("paid", "refunded", _) => return true,
            _ => {}
        }
        false
    }

    fn end(&mut self, order: usize, state: &'static str) {
        for (product, quantity) in &self.orders[&order].1 {
            self.stock[*product].1 -= i64::from(*quantity);
        }
        self.set(order, state);
    }

    fn set(&mut self, order: usize, state: &'static str) {
        self.orders.entry(order).or_default().0 = state;
    }
}

/// What the service answers: nothing, or the reason of its refusal.
async fn run(world: &World, at: usize, step: &Step, expires: bool, told: &mut Vec<Event>) -> String {
    let answer = match step {
        Step::Reserve(order, lines) => {
            let lines: Vec<_> =
                lines.iter().map(|(product, quantity)| (PRODUCTS[*product].0, *quantity)).collect();
            world.reserve(ORDERS[*order], &lines).await.map(|_| ())
        }
        Step::Pin(order) => world.pin(ORDERS[*order]).await.map(|_| ()),
        Step::Release(order) => world.release(ORDERS[*order]).await,
        Step::Moved(order, from, to) => {
            let event = moved(ORDERS[*order], from, to);
            told.push(event.clone());
            world.publish(event).await;
            Ok(())
        }
        Step::Again(which) => {
            if !told.is_empty() {
                world.publish(which.get(told).clone()).await;
            }
            Ok(())
        }
        Step::Adjust(product, delta) => {
            world.adjust(PRODUCTS[*product].0, *delta, &format!("key {at}")).await.map(|_| ())
        }
        Step::Expire(order) => {
            let late = sqlx::query("UPDATE reservations SET expires_at = 1 WHERE order_id = ?");
            late.bind(ORDERS[*order]).execute(&world.db).await.unwrap();
            if expires {
                world.expired(ORDERS[*order]).await;
            }
            Ok(())
        }
    };
    answer.err().map(|refused| refused.reason().to_owned()).unwrap_or_default()
}

async fn check(steps: &[Step]) {
    let (world, _folder) = world_with(|config| {
        config.data_source.durable = false;
        config.queue.consumer.tries = 1;
    })
    .await;
    for (product, stock) in PRODUCTS {
        world.set_stock(product, stock).await;
    }
    let mut model =
        Model { stock: PRODUCTS.map(|(_, stock)| (stock, 0)), orders: BTreeMap::new(), dead_letters: 0 };
    let mut told = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let expires = matches!(step, Step::Expire(order) if model.state(*order) == "held");
        let expected = model.apply(step);
        let answer = run(&world, at, step, expires, &mut told).await;
        assert_eq!(answer, expected, "step {at}, {step:?}");
        for ((product, _), expected) in PRODUCTS.iter().zip(model.stock) {
            assert_eq!(world.stock(product).await, expected, "{product} after step {at}, {step:?}");
            assert_eq!(
                world.moved(product).await,
                expected.0,
                "moves of {product} after step {at}, {step:?}"
            );
        }
        for (order, name) in ORDERS.iter().enumerate() {
            let status = world.status(name).await.unwrap_or_default();
            assert_eq!(status, model.state(order), "order {name} after step {at}, {step:?}");
        }
        assert_eq!(world.dead_letters().await.len(), model.dead_letters, "after step {at}, {step:?}");
    }
    world.lifecycle.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_stock_is_what_a_naive_model_says(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&steps));
    }
}
