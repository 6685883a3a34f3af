//! `kill -9` in the middle of everything: started again on the same data, every order ends well, the books are right, and
//! nobody was charged twice.

use std::path::Path;
use std::time::Duration;

use e2e::shop::{Answer, CARD_OK, Call, Customer, NO_ANSWER, Order, Process, SUCCEEDS_LATER, Shop, fresh};
use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::{Value, json};
use shared::testing::eventually;

use crate::left::killed_at;
use crate::payments::impatient;

pub(crate) const SHOP: &str = env!("CARGO_BIN_EXE_shop-under-test");

/// Long enough for a lease to run out.
pub(crate) const LONG: Duration = Duration::from_secs(40);

/// With leases that a test can wait for.
pub(crate) fn services() -> Value {
    let mut services = impatient();
    services["order-rpc"]["Product"] = json!({"Timeout": "1s"});
    services["order-rpc"]["Idempotency"] = json!({"Lease": "2600ms"});
    services["product-rpc"] = json!({"Idempotency": {"Lease": "2600ms"}});
    services["user-rpc"] = json!({"Token": {"Grace": "5m"}});
    services
}

/// What a customer wants, and keeps asking for under the same keys, whatever happens to the shop.
struct Wish {
    customer: Customer,
    product: String,
    place: String,
    pay: String,
    card: e2e::shop::Card,
}

impl Wish {
    fn placing(&self, customer: &Customer) -> Call {
        customer.place_without_key(&[(&self.product, 1)]).key(&self.place)
    }

    fn paying(&self, customer: &Customer, order: &Order) -> Call {
        customer.post(&format!("/v1/orders/{}/pay", order.id()), &self.card.body()).key(&self.pay)
    }

    /// As far as the shop lives; then without an answer.
    async fn try_once(&self) -> reqwest::Result<()> {
        let placed = self.placing(&self.customer).send().await?;
        if placed.status == 201 {
            self.paying(&self.customer, &Order(placed.body)).send().await?;
        }
        Ok(())
    }

    /// On a shop that lives: until the order is paid.
    async fn come_true(&self, shop: &Shop) {
        let customer = self.customer.at(shop);
        let order = eventually(LONG, async || done(self.placing(&customer).await, 201).map(Order)).await;
        eventually(LONG, async || {
            let paid = self.paying(&customer, &order).await;
            // Taken back, as the provider had never heard of it; a customer would try again.
            if paid.status == 402 {
                customer.pay(&order, CARD_OK).await;
            }
            let now = customer.look_at(&order).await;
            (now.status() == "paid").then_some(())
        })
        .await;
    }
}

/// The body, if it is this success. Other answers may be: still in flight, or away for a moment.
#[track_caller]
fn done(answer: Answer, status: u16) -> Option<Value> {
    match answer.status {
        409 | 503 | 504 => None,
        _ => Some(answer.ok(status)),
    }
}

async fn wishes(shop: &Shop, count: usize) -> Vec<Wish> {
    let product = shop.admin().await.stock_up(1000).await;
    let cards = [CARD_OK, CARD_OK, SUCCEEDS_LATER, NO_ANSWER];
    let wish = async |at: usize| Wish {
        customer: shop.register().await,
        product: product.clone(),
        place: fresh("place"),
        pay: fresh("pay"),
        card: cards[at % cards.len()],
    };
    join_all((0..count).map(wish)).await
}

pub(crate) async fn start(folder: &Path, more: &[&str]) -> Process {
    Process::start(SHOP, folder, services(), more).await
}

/// Killed at `point`, and started again.
async fn crash_at(point: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut first = start(folder.path(), &["--crash-at", point]).await;
    let wishes = wishes(&first.shop, 4).await;
    let tried = join_all(wishes.iter().map(Wish::try_once)).await;
    killed_at(point, &mut first, folder.path()).await;
    let is_by_itself = matches!(
        point,
        "after_look_up" | "between_outbox_and_consumer" | "before_acknowledgement" | "before_sent_is_written"
    );
    assert!(is_by_itself || tried.iter().any(Result::is_err), "{point}: nobody noticed");

    let second = start(folder.path(), &[]).await;
    join_all(wishes.iter().map(|wish| wish.come_true(&second.shop))).await;
    second.shop.audit().await;
    let books = second.shop.books().await.unwrap();
    assert_eq!(books.counted.orders, wishes.len(), "{point}: {}", books.counted);
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_stock_is_reserved() {
    crash_at("after_reserve").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_order_is_committed() {
    crash_at("before_order_commit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_order_is_committed() {
    crash_at("after_order_commit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_stock_is_pinned() {
    crash_at("after_pin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_provider_is_called() {
    crash_at("before_provider_call").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_provider_answers() {
    crash_at("before_provider_answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_provider_answered() {
    crash_at("after_provider_answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_provider_was_asked_again() {
    crash_at("after_look_up").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_outbox_and_consumer() {
    crash_at("between_outbox_and_consumer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_an_event_had_its_effect() {
    crash_at("before_acknowledgement").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_an_event_counts_as_sent() {
    crash_at("before_sent_is_written").await;
}

/// Wherever it happens: the seed says after how many answers.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment() {
    let mut random = fastrand::Rng::with_seed(20_261_122);
    let folder = tempfile::tempdir().unwrap();
    let mut all: Vec<Wish> = Vec::new();
    for _ in 0..4 {
        let process = start(folder.path(), &[]).await;
        let new = wishes(&process.shop, 6).await;
        let trying = join_all(new.iter().map(Wish::try_once));
        let until = process.shop.answers() + random.usize(1..=8);
        let killing = async {
            eventually(LONG, async || (process.shop.answers() >= until).then_some(())).await;
            process.signal(Signal::KILL);
        };
        tokio::join!(trying, killing);
        process.kill().await;
        all.extend(new);
    }
    let last = start(folder.path(), &[]).await;
    join_all(all.iter().map(|wish| wish.come_true(&last.shop))).await;
    last.shop.audit().await;
    assert_eq!(last.shop.books().await.unwrap().counted.orders, all.len());
    last.kill().await;
}
