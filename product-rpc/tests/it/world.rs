//! A shop of one service, and the verbs that tests speak in.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use product_rpc::config::Config;
use proto::order::TOPIC;
use proto::order::v1::OrderMoved;
use proto::product::v1::product_client::ProductClient;
use proto::product::v1::{
    AdjustStockRequest, GetProductRequest, GetStockRequest, Item, Line, ListCategoriesRequest,
    ListProductsRequest, PinReservationRequest, ReleaseRequest, Reservation, ReserveRequest, Stock,
};
use proto::v1::Page;
use shared::config::{self, Loaded};
use shared::error::Error;
use shared::lifecycle::{Lifecycle, Shutdown};
use shared::queue::{Event, Queue};
use shared::rpc::client;
use sqlx::AnyPool;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const SOON: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) product: ProductClient<client::Channel>,
    pub(crate) queue: Queue,
    /// The service's own database, to look behind its back.
    pub(crate) db: AnyPool,
    pub(crate) lifecycle: Lifecycle,
}

/// The configuration that comes with the service, in a folder of the test's own.
pub(crate) fn configuration(folder: &Path) -> Loaded<Config> {
    let text = include_str!("../../etc/product-rpc.yaml");
    config::parse("product-rpc.yaml", text, &|name| (name == "DATA").then(|| folder.display().to_string()))
        .unwrap()
}

pub(crate) async fn world() -> (World, TempDir) {
    world_with(|_| {}).await
}

pub(crate) async fn world_with(change: impl FnOnce(&mut Config)) -> (World, TempDir) {
    let folder = TempDir::new().unwrap();
    (open(folder.path(), change).await, folder)
}

/// Starts the service on what the folder holds.
pub(crate) async fn open(folder: &Path, change: impl FnOnce(&mut Config)) -> World {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("product-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let lifecycle = Lifecycle::new("product-rpc", &Shutdown { beat: Duration::ZERO, ..Shutdown::default() });
    let Loaded { mut listen, mut own, service } = configuration(folder);
    listen.port = 0;
    listen.timeout = SOON;
    listen.registry = format!("memory://{name}");
    own.queue.url = format!("memory://{name}?groups=product-rpc");
    own.cache.url = format!("memory://{name}");
    own.queue.consumer.back_off = Duration::from_millis(1);
    own.reservation.sweep = Duration::from_millis(5);
    own.data_source.acquire_timeout = SOON;
    change(&mut own);
    let queue = Queue::open(&own.queue.url).unwrap();
    product_rpc::start(listen.clone(), own, service.mode, &lifecycle).await.unwrap();
    let conf =
        client::Conf { registry: listen.registry, key: listen.key, timeout: SOON, ..client::Conf::default() };
    let channel = client::connect(&conf, proto::DESCRIPTORS, &lifecycle).await.unwrap();
    let db = AnyPool::connect(&format!("sqlite://{}/product.db", folder.display())).await.unwrap();
    World { product: ProductClient::new(channel), queue, db, lifecycle }
}

pub(crate) fn line(product_id: &str, quantity: i32) -> Line {
    Line { product_id: product_id.to_owned(), quantity }
}

pub(crate) fn lines(what: &[(&str, i32)]) -> Vec<Line> {
    what.iter().map(|(id, quantity)| line(id, *quantity)).collect()
}

impl World {
    /// For ten minutes.
    pub(crate) async fn reserve(&self, order: &str, what: &[(&str, i32)]) -> Result<Reservation, Error> {
        self.reserve_for(order, what, 600_000).await
    }

    pub(crate) async fn reserve_for(
        &self,
        order: &str,
        what: &[(&str, i32)],
        ttl_ms: i64,
    ) -> Result<Reservation, Error> {
        let req = ReserveRequest { order_id: order.into(), lines: lines(what), ttl_ms };
        Ok(self.product.clone().reserve(req).await?.into_inner())
    }

    pub(crate) async fn pin(&self, order: &str) -> Result<Reservation, Error> {
        let req = PinReservationRequest { order_id: order.into() };
        Ok(self.product.clone().pin_reservation(req).await?.into_inner())
    }

    pub(crate) async fn release(&self, order: &str) -> Result<(), Error> {
        self.product.clone().release(ReleaseRequest { order_id: order.into() }).await?;
        Ok(())
    }

    pub(crate) async fn adjust(&self, product: &str, delta: i64, key: &str) -> Result<Stock, Error> {
        let req = AdjustStockRequest {
            product_id: product.into(),
            delta,
            reason: "a count".into(),
            idempotency_key: key.into(),
            user_id: "admin".into(),
        };
        Ok(self.product.clone().adjust_stock(req).await?.into_inner())
    }

    pub(crate) async fn get(&self, id: &str) -> Result<Item, Error> {
        Ok(self.product.clone().get_product(GetProductRequest { id: id.into() }).await?.into_inner())
    }

    /// On hand, and reserved.
    pub(crate) async fn stock(&self, id: &str) -> (i64, i64) {
        let req = GetStockRequest { product_id: id.into() };
        let stock = self.product.clone().get_stock(req).await.unwrap().into_inner();
        assert_eq!((stock.product_id.as_str(), stock.available), (id, stock.on_hand - stock.reserved));
        (stock.on_hand, stock.reserved)
    }

    /// Brings the stock of a product to `on_hand`.
    pub(crate) async fn set_stock(&self, id: &str, on_hand: i64) {
        let (now, _) = self.stock(id).await;
        if now != on_hand {
            self.adjust(id, on_hand - now, &Uuid::now_v7().to_string()).await.unwrap();
        }
    }

    /// Sums up the moves of a product.
    pub(crate) async fn moved(&self, id: &str) -> i64 {
        let sum = "SELECT CAST(COALESCE(SUM(delta), 0) AS SIGNED) FROM stock_moves WHERE product_id = ?";
        sqlx::query_scalar(sum).bind(id).fetch_one(&self.db).await.unwrap()
    }

    pub(crate) async fn status(&self, order: &str) -> Option<String> {
        let select = sqlx::query_scalar("SELECT status FROM reservations WHERE order_id = ?").bind(order);
        select.fetch_optional(&self.db).await.unwrap()
    }

    /// Waits for a hold to end by itself.
    pub(crate) async fn expired(&self, order: &str) {
        shared::testing::eventually(SOON, async || {
            (self.status(order).await.as_deref() == Some("expired")).then_some(())
        })
        .await;
    }

    /// Category and number of products.
    pub(crate) async fn categories(&self) -> Vec<(String, i64)> {
        let rsp = self.product.clone().list_categories(ListCategoriesRequest {}).await.unwrap();
        rsp.into_inner().items.into_iter().map(|one| (one.id, one.product_count)).collect()
    }

    pub(crate) async fn list(
        &self,
        category: &str,
        query: &str,
        sort: &str,
        page: (i32, &str),
    ) -> Result<(Vec<Item>, String), Error> {
        let req = ListProductsRequest {
            category: category.into(),
            query: query.into(),
            sort: sort.into(),
            page: Some(Page { size: page.0, token: page.1.into() }),
        };
        let rsp = self.product.clone().list_products(req).await?.into_inner();
        Ok((rsp.items, rsp.next_page_token))
    }

    /// Tells of an order's move, and returns when the service has worked on it.
    pub(crate) async fn tell(&self, order: &str, from: &str, to: &str) {
        self.publish(moved(order, from, to)).await;
    }

    pub(crate) async fn publish(&self, event: Event) {
        self.queue.publish(TOPIC, event).await.unwrap();
    }

    /// Why events were given up, oldest first.
    pub(crate) async fn dead_letters(&self) -> Vec<String> {
        let select = "SELECT reason FROM dead_letters ORDER BY created_at";
        sqlx::query_scalar(select).fetch_all(&self.db).await.unwrap()
    }
}

pub(crate) fn moved(order: &str, from: &str, to: &str) -> Event {
    let data = OrderMoved {
        order_id: order.into(),
        from: from.into(),
        to: to.into(),
        seq: 1,
        ..OrderMoved::default()
    };
    Event::new("order-rpc", &format!("order.{to}"), order, 1, &data).unwrap()
}

#[track_caller]
pub(crate) fn reason<T>(refused: Result<T, Error>) -> String {
    refused.err().expect("it is refused").reason().to_owned()
}

#[track_caller]
pub(crate) fn pointers<T>(refused: Result<T, Error>) -> Vec<String> {
    let refused = refused.err().expect("it is refused");
    assert_eq!(refused.reason(), "invalid_argument");
    refused.faults().iter().map(|fault| fault.pointer.clone()).collect()
}
