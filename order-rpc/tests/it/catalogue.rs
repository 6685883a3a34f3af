//! product-rpc as the tests play it: a few products, their stock, and faults on command.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use proto::product::v1::product_server::{Product, ProductServer};
use proto::product::v1::{
    AdjustStockRequest, CreateProductRequest, GetProductRequest, GetProductsRequest, GetProductsResponse,
    GetStockRequest, Item, Line, ListCategoriesRequest, ListCategoriesResponse, ListProductsRequest,
    ListProductsResponse, PinReservationRequest, ReleaseRequest, ReleaseResponse, Reservation,
    ReserveRequest, Stock, UpdateProductRequest,
};
use proto::v1::Money;
use shared::error::{Code, Error, Violation};
use shared::lifecycle::Lifecycle;
use shared::{clock, rpc, serve};
use tokio::sync::Notify;
use tonic::service::Routes;
use tonic::{Request, Response, Status, async_trait};

/// What goes wrong with a method.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is refused before anything happens.
    Away,
    /// It is done, and the answer is lost.
    Lost,
    /// It is done, and the answer never comes.
    Hangs,
    /// It never comes to be done, and neither does the answer.
    Stuck,
    /// It is done when the fault is healed.
    Waits,
}

#[derive(Clone, Default)]
pub(crate) struct Catalogue {
    state: Arc<Mutex<State>>,
    healed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    products: BTreeMap<String, Item>,
    holds: BTreeMap<String, Hold>,
    faults: HashMap<&'static str, Fault>,
    calls: HashMap<&'static str, usize>,
    longest: Option<Duration>,
}

#[derive(Clone)]
struct Hold {
    status: &'static str,
    lines: Vec<Line>,
    expires_at_ms: i64,
}

impl Catalogue {
    /// Serves, and is found where order-rpc looks for it.
    pub(crate) async fn start(registry: &str, lifecycle: &Lifecycle) -> Catalogue {
        let catalogue = Catalogue::default();
        for (id, price, stock) in [("pot", 2_500, 10), ("pan", 1_999, 5), ("spoon", 150, 1_000)] {
            catalogue.set(id, price, stock);
        }
        let listener = serve::bind("127.0.0.1", 0).await.unwrap();
        let conf = rpc::server::Conf {
            host: "127.0.0.1".to_owned(),
            registry: registry.to_owned(),
            key: "product.rpc".to_owned(),
            ..rpc::server::Conf::default()
        };
        let routes = Routes::new(ProductServer::new(catalogue.clone()));
        rpc::server::start(listener, routes, proto::DESCRIPTORS, &conf, lifecycle).await.unwrap();
        catalogue
    }

    pub(crate) fn set(&self, id: &str, price: i64, available: i64) {
        let item = Item {
            id: id.to_owned(),
            name: format!("The {id}"),
            price: Some(Money { amount: price, currency: "EUR".to_owned() }),
            image_url: format!("/pictures/{id}.svg"),
            available,
            ..Item::default()
        };
        self.lock().products.insert(id.to_owned(), item);
    }

    pub(crate) fn remove(&self, id: &str) {
        self.lock().products.remove(id);
    }

    /// No hold lasts longer, whoever asks.
    pub(crate) fn gives(&self, longest: Duration) {
        self.lock().longest = Some(longest);
    }

    /// Until [`Self::heal`].
    pub(crate) fn break_down(&self, method: &'static str, fault: Fault) {
        self.lock().faults.insert(method, fault);
    }

    pub(crate) fn heal(&self) {
        self.lock().faults.clear();
        self.healed.notify_waiters();
    }

    pub(crate) fn calls(&self, method: &'static str) -> usize {
        self.lock().calls.get(method).copied().unwrap_or_default()
    }

    pub(crate) fn available(&self, id: &str) -> i64 {
        self.lock().products[id].available
    }

    /// The status of an order's hold.
    pub(crate) fn hold(&self, order_id: &str) -> Option<&'static str> {
        self.lock().holds.get(order_id).map(|hold| hold.status)
    }

    /// The holds that hold something.
    pub(crate) fn held(&self) -> Vec<String> {
        let is_held = |hold: &Hold| matches!(hold.status, "held" | "pinned");
        self.lock().holds.iter().filter(|(_, hold)| is_held(hold)).map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn held_lines(&self, order_id: &str) -> Vec<(String, i32)> {
        let state = self.lock();
        state.holds[order_id].lines.iter().map(|line| (line.product_id.clone(), line.quantity)).collect()
    }

    /// As its sweeper does, or an event.
    pub(crate) fn end_hold(&self, order_id: &str, status: &'static str) {
        self.lock().end(order_id, status);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Does `work` with the method's fault.
    async fn answer<T>(
        &self,
        method: &'static str,
        work: impl FnOnce(&mut State) -> Result<T, Error>,
    ) -> Result<Response<T>, Status> {
        let mut healed = std::pin::pin!(self.healed.notified());
        healed.as_mut().enable();
        let fault = {
            let mut state = self.lock();
            *state.calls.entry(method).or_default() += 1;
            state.faults.get(method).copied()
        };
        let away = || Status::unavailable("product-rpc is away");
        match fault {
            None => Ok(Response::new(work(&mut self.lock())?)),
            Some(Fault::Away) => Err(away()),
            Some(Fault::Lost) => {
                work(&mut self.lock())?;
                Err(away())
            }
            Some(Fault::Hangs) => {
                work(&mut self.lock())?;
                std::future::pending().await
            }
            Some(Fault::Stuck) => std::future::pending().await,
            Some(Fault::Waits) => {
                healed.await;
                Ok(Response::new(work(&mut self.lock())?))
            }
        }
    }
}

impl State {
    fn take(&mut self, lines: &[Line]) -> Result<(), Error> {
        let mut short = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let unknown =
                || vec![Violation::new(format!("/items/{at}/product_id"), "there is no such product")];
            let item = self.products.get(&line.product_id).ok_or_else(|| Error::invalid(unknown()))?;
            if item.available < line.quantity.into() {
                let fault =
                    Violation::new(format!("/items/{at}/quantity"), format!("{} left", item.available));
                short.push(fault.with("available", item.available));
            }
        }
        if !short.is_empty() {
            let detail = format!("{} of {} lines cannot be served", short.len(), lines.len());
            return Err(Error::new(Code::Conflict, "out_of_stock", detail).violations(short));
        }
        for line in lines {
            self.products.get_mut(&line.product_id).unwrap().available -= i64::from(line.quantity);
        }
        Ok(())
    }

    fn end(&mut self, order_id: &str, status: &'static str) {
        let Some(hold) = self.holds.get_mut(order_id) else { return };
        if matches!(hold.status, "held" | "pinned") && status != "taken" {
            for line in &hold.lines {
                if let Some(item) = self.products.get_mut(&line.product_id) {
                    item.available += i64::from(line.quantity);
                }
            }
        }
        hold.status = status;
    }

    fn reservation(&self, order_id: &str) -> Reservation {
        let hold = &self.holds[order_id];
        let (status, expires_at_ms) = (hold.status.to_owned(), hold.expires_at_ms);
        Reservation { order_id: order_id.to_owned(), status, expires_at_ms }
    }
}

fn ended(status: &str) -> Error {
    Error::new(Code::Conflict, "illegal_transition", format!("the reservation is {status}"))
        .with("state", status)
}

#[async_trait]
impl Product for Catalogue {
    async fn get_product(&self, req: Request<GetProductRequest>) -> Result<Response<Item>, Status> {
        let id = req.into_inner().id;
        let found = |state: &mut State| {
            state.products.get(&id).cloned().ok_or_else(|| Error::not_found("no such product"))
        };
        self.answer("get_product", found).await
    }

    async fn get_products(
        &self,
        req: Request<GetProductsRequest>,
    ) -> Result<Response<GetProductsResponse>, Status> {
        let ids = req.into_inner().ids;
        let found = |state: &mut State| {
            // In no particular order: the other way round.
            let items = ids.iter().rev().filter_map(|id| state.products.get(id).cloned()).collect();
            Ok(GetProductsResponse { items })
        };
        self.answer("get_products", found).await
    }

    async fn reserve(&self, req: Request<ReserveRequest>) -> Result<Response<Reservation>, Status> {
        let ReserveRequest { order_id, lines, ttl_ms } = req.into_inner();
        let reserve = |state: &mut State| {
            match state.holds.get(&order_id) {
                Some(hold) if hold.status == "held" => {}
                Some(hold) => return Err(ended(hold.status)),
                None => {
                    state.take(&lines)?;
                    let ttl_ms =
                        state.longest.map_or(ttl_ms, |longest| ttl_ms.min(longest.as_millis() as i64));
                    let expires_at_ms = clock::wall_ms() + ttl_ms;
                    state.holds.insert(order_id.clone(), Hold { status: "held", lines, expires_at_ms });
                }
            }
            Ok(state.reservation(&order_id))
        };
        self.answer("reserve", reserve).await
    }

    async fn pin_reservation(
        &self,
        req: Request<PinReservationRequest>,
    ) -> Result<Response<Reservation>, Status> {
        let order_id = req.into_inner().order_id;
        let pin = |state: &mut State| {
            let Some(hold) = state.holds.get(&order_id).cloned() else {
                return Err(Error::not_found("this order has reserved nothing"));
            };
            match hold.status {
                "held" | "pinned" => {}
                "expired" => state.take(&hold.lines)?,
                other => return Err(ended(other)),
            }
            state.holds.get_mut(&order_id).unwrap().status = "pinned";
            Ok(state.reservation(&order_id))
        };
        self.answer("pin_reservation", pin).await
    }

    async fn release(&self, req: Request<ReleaseRequest>) -> Result<Response<ReleaseResponse>, Status> {
        let order_id = req.into_inner().order_id;
        let release = |state: &mut State| {
            state.end(&order_id, "released");
            // What is still on its way must not be held afterwards.
            let never = Hold { status: "released", lines: Vec::new(), expires_at_ms: 0 };
            state.holds.entry(order_id).or_insert(never);
            Ok(ReleaseResponse {})
        };
        self.answer("release", release).await
    }

    async fn list_categories(
        &self,
        _: Request<ListCategoriesRequest>,
    ) -> Result<Response<ListCategoriesResponse>, Status> {
        Err(not_asked())
    }

    async fn list_products(
        &self,
        _: Request<ListProductsRequest>,
    ) -> Result<Response<ListProductsResponse>, Status> {
        Err(not_asked())
    }

    async fn create_product(&self, _: Request<CreateProductRequest>) -> Result<Response<Item>, Status> {
        Err(not_asked())
    }

    async fn update_product(&self, _: Request<UpdateProductRequest>) -> Result<Response<Item>, Status> {
        Err(not_asked())
    }

    async fn get_stock(&self, _: Request<GetStockRequest>) -> Result<Response<Stock>, Status> {
        Err(not_asked())
    }

    async fn adjust_stock(&self, _: Request<AdjustStockRequest>) -> Result<Response<Stock>, Status> {
        Err(not_asked())
    }
}

fn not_asked() -> Status {
    Status::unimplemented("order-rpc does not ask for this")
}
