//! A service with its neighbours, and what customers and administrators do with it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use order_rpc::config::Config;
use proto::order::v1::order_client::OrderClient;
use proto::order::v1::{
    Address, CancelOrderRequest, Card, Cart, ClearCartRequest, GetCartRequest, GetOrderRequest, Line,
    ListOrdersRequest, MoveOrderRequest, OrderView, PayOrderRequest, PlaceOrderRequest,
    RemoveCartItemRequest, SetCartItemRequest,
};
use proto::v1::{Money, Page};
use shared::config::{self, Loaded};
use shared::error::Error;
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::rpc::client;
use shared::testing::eventually;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::catalogue::Catalogue;
use crate::provider::Provider;
use crate::records::Records;

pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) type Answer<T = OrderView> = Result<T, Error>;

pub(crate) struct World {
    pub(crate) order: OrderClient<client::Channel>,
    pub(crate) catalogue: Catalogue,
    pub(crate) provider: Provider,
    pub(crate) records: Records,
    pub(crate) folder: TempDir,
    config: Loaded<Config>,
    instances: Vec<Instance>,
    _neighbours: Lifecycle,
}

/// The service itself has a runtime of its own, so that it can die as a process dies.
struct Instance {
    runtime: Option<Runtime>,
    lifecycle: Lifecycle,
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The configuration that comes with the service, in a folder of the test's own.
pub(crate) fn configuration(folder: &Path) -> Loaded<Config> {
    let text = include_str!("../../etc/order-rpc.yaml");
    let environment = |name: &str| (name == "DATA").then(|| folder.display().to_string());
    config::parse("order-rpc.yaml", text, &environment).unwrap()
}

pub(crate) async fn world() -> World {
    world_with(|_| {}).await
}

pub(crate) async fn world_with(change: impl FnOnce(&mut Config)) -> World {
    static WORLDS: AtomicU64 = AtomicU64::new(0);
    let name = format!("order-{}", WORLDS.fetch_add(1, Ordering::Relaxed));
    let registry = format!("memory://{name}");
    let folder = TempDir::new().unwrap();
    let neighbours = Lifecycle::new("neighbours", &Shutdown::default());
    let catalogue = Catalogue::start(&registry, &neighbours).await;
    let (provider, url) = Provider::start(&neighbours).await;
    let mut config = configuration(folder.path());
    config.listen.port = 0;
    config.listen.registry.clone_from(&registry);
    let own = &mut config.own;
    own.data_source.durable = false;
    own.product.registry.clone_from(&registry);
    own.product.timeout = Duration::from_secs(5);
    own.cart.url = format!("memory://{name}");
    own.queue.url = format!("memory://{name}");
    // Nobody gives stock back here.
    own.order.stock_wait = Duration::ZERO;
    own.provider.url = url;
    own.provider.timeout = Duration::from_secs(5);
    own.order.sweep.every = Duration::from_millis(20);
    own.reconcile.every = Duration::from_millis(20);
    own.reconcile.after = Duration::from_millis(50);
    own.reconcile.back_off = Duration::from_millis(200);
    change(own);
    let first = Instance::start(&config).await;
    let conf = client::Conf {
        registry,
        key: config.listen.key.clone(),
        timeout: Duration::from_secs(10),
        ..client::Conf::default()
    };
    let channel = client::connect(&conf, proto::DESCRIPTORS, &neighbours).await.unwrap();
    World {
        order: OrderClient::new(channel),
        catalogue,
        provider,
        records: Records::open(folder.path()).await,
        folder,
        config,
        instances: vec![first],
        _neighbours: neighbours,
    }
}

impl Instance {
    async fn start(config: &Loaded<Config>) -> Instance {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let lifecycle = Lifecycle::new("order-rpc", &Shutdown::default());
        let (listen, own, mode) = (config.listen.clone(), config.own.clone(), config.service.mode);
        let owner = lifecycle.clone();
        let handle = runtime.handle().clone();
        let start = move || handle.block_on(order_rpc::start(listen, own, mode, &owner)).map(|_| ());
        tokio::task::spawn_blocking(start).await.unwrap().unwrap();
        Instance { runtime: Some(runtime), lifecycle }
    }
}

impl World {
    /// As by `kill -9`: whatever is under way ends where it is.
    pub(crate) fn die(&mut self) {
        self.instances.clear();
    }

    /// One more instance, on the same data.
    pub(crate) async fn start(&mut self) {
        self.instances.push(Instance::start(&self.config).await);
    }

    pub(crate) async fn stop(&mut self) {
        for instance in self.instances.drain(..) {
            instance.lifecycle.stop().await;
        }
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config.own);
    }

    pub(crate) async fn audit(&self) {
        self.records.audit(&self.provider).await;
    }

    pub(crate) async fn cart(&self, user: &str) -> Answer<Cart> {
        let req = GetCartRequest { user_id: user.into() };
        Ok(self.order.clone().get_cart(req).await?.into_inner())
    }

    pub(crate) async fn put(&self, user: &str, product: &str, quantity: i32) -> Answer<Cart> {
        let req = SetCartItemRequest { user_id: user.into(), product_id: product.into(), quantity };
        Ok(self.order.clone().set_cart_item(req).await?.into_inner())
    }

    pub(crate) async fn take_out(&self, user: &str, product: &str) -> Answer<Cart> {
        let req = RemoveCartItemRequest { user_id: user.into(), product_id: product.into() };
        Ok(self.order.clone().remove_cart_item(req).await?.into_inner())
    }

    pub(crate) async fn clear(&self, user: &str) -> Answer<()> {
        self.order.clone().clear_cart(ClearCartRequest { user_id: user.into() }).await?;
        Ok(())
    }

    pub(crate) async fn send(&self, req: PlaceOrderRequest) -> Answer {
        Ok(self.order.clone().place_order(req).await?.into_inner())
    }

    pub(crate) async fn place(&self, user: &str, key: &str, lines: &[(&str, i32)]) -> Answer {
        self.send(order(user, key, lines)).await
    }

    /// An order of one pot, that waits for its payment.
    pub(crate) async fn placed(&self, user: &str) -> OrderView {
        self.place(user, &fresh("place"), &[("pot", 1)]).await.unwrap()
    }

    pub(crate) async fn pay(&self, user: &str, order_id: &str, key: &str, number: &str) -> Answer {
        self.pay_with(user, order_id, key, card(number)).await
    }

    pub(crate) async fn pay_with(&self, user: &str, order_id: &str, key: &str, card: Card) -> Answer {
        Ok(self.order.clone().pay_order(payment(user, order_id, key, card)).await?.into_inner())
    }

    pub(crate) async fn paid(&self, user: &str) -> OrderView {
        let placed = self.placed(user).await;
        self.pay(user, &placed.id, &fresh("pay"), crate::provider::GOOD).await.unwrap()
    }

    pub(crate) async fn get(&self, user: &str, order_id: &str) -> Answer {
        let req = GetOrderRequest { user_id: user.into(), order_id: order_id.into() };
        Ok(self.order.clone().get_order(req).await?.into_inner())
    }

    pub(crate) async fn cancel(&self, user: &str, order_id: &str, reason: &str) -> Answer {
        let req =
            CancelOrderRequest { user_id: user.into(), order_id: order_id.into(), reason: reason.into() };
        Ok(self.order.clone().cancel_order(req).await?.into_inner())
    }

    pub(crate) async fn ship(&self, order_id: &str) -> Answer {
        Ok(self.order.clone().ship_order(by_admin(order_id, "")).await?.into_inner())
    }

    pub(crate) async fn deliver(&self, order_id: &str) -> Answer {
        Ok(self.order.clone().deliver_order(by_admin(order_id, "")).await?.into_inner())
    }

    pub(crate) async fn refund(&self, order_id: &str, reason: &str) -> Answer {
        Ok(self.order.clone().refund_order(by_admin(order_id, reason)).await?.into_inner())
    }

    /// A page of orders, and the token of the next one.
    pub(crate) async fn list(
        &self,
        user: &str,
        status: &str,
        page: (i32, &str),
    ) -> Answer<(Vec<OrderView>, String)> {
        let page = Some(Page { size: page.0, token: page.1.into() });
        let req = ListOrdersRequest { user_id: user.into(), status: status.into(), page };
        let rsp = self.order.clone().list_orders(req).await?.into_inner();
        Ok((rsp.items, rsp.next_page_token))
    }

    #[track_caller]
    pub(crate) fn becomes<'a>(
        &'a self,
        user: &'a str,
        order_id: &'a str,
        status: &'a str,
    ) -> impl Future<Output = OrderView> + 'a {
        eventually(SOON, async move || {
            let order = self.get(user, order_id).await.ok()?;
            (order.status == status).then_some(order)
        })
    }
}

pub(crate) fn order(user: &str, key: &str, lines: &[(&str, i32)]) -> PlaceOrderRequest {
    let line = |(id, quantity): &(&str, i32)| Line { product_id: (*id).to_owned(), quantity: *quantity };
    PlaceOrderRequest {
        user_id: user.into(),
        idempotency_key: key.into(),
        items: lines.iter().map(line).collect(),
        from_cart: false,
        address: Some(address()),
        expected_total: None,
    }
}

pub(crate) fn order_of_cart(user: &str, key: &str) -> PlaceOrderRequest {
    PlaceOrderRequest { from_cart: true, ..order(user, key, &[]) }
}

pub(crate) fn payment(user: &str, order_id: &str, key: &str, card: Card) -> PayOrderRequest {
    PayOrderRequest {
        user_id: user.into(),
        order_id: order_id.into(),
        idempotency_key: key.into(),
        card: Some(card),
    }
}

pub(crate) fn card(number: &str) -> Card {
    Card { number: number.into(), exp_month: 12, exp_year: 2099, cvc: "123".into() }
}

pub(crate) fn address() -> Address {
    Address {
        name: "Anna Muster".into(),
        line1: "Hauptstraße 1".into(),
        line2: None,
        city: "Wien".into(),
        postal_code: "1010".into(),
        country: "AT".into(),
    }
}

fn by_admin(order_id: &str, reason: &str) -> MoveOrderRequest {
    MoveOrderRequest { order_id: order_id.into(), reason: reason.into(), actor_id: "the-admin".into() }
}

pub(crate) fn euros(amount: i64) -> Option<Money> {
    Some(Money { amount, currency: "EUR".into() })
}

/// Another text each time.
pub(crate) fn fresh(what: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{what}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[track_caller]
pub(crate) fn reason<T>(refused: Answer<T>) -> String {
    refused.err().expect("it is refused").reason().to_owned()
}

#[track_caller]
pub(crate) fn pointers<T>(refused: Answer<T>) -> Vec<String> {
    let refused = refused.err().expect("it is refused");
    assert_eq!(refused.reason(), "invalid_argument");
    refused.faults().iter().map(|fault| fault.pointer.clone()).collect()
}

/// The state that an illegal move names.
#[track_caller]
pub(crate) fn state<T>(refused: Answer<T>) -> String {
    let refused = refused.err().expect("it is refused");
    assert_eq!(refused.reason(), "illegal_transition", "{refused:?}");
    refused.extra("state").unwrap().as_str().unwrap().to_owned()
}

/// `from→to` of every move.
pub(crate) fn history(order: &OrderView) -> Vec<String> {
    order.history.iter().map(|step| format!("{}→{}", step.from, step.to)).collect()
}
