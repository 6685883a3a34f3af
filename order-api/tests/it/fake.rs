//! A service that answers what a test wants, and remembers what it was asked.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proto::order::v1::order_server::Order;
use proto::product::v1::product_server::Product;
use proto::user::v1::user_server::User;
use proto::{order, product, user};
use shared::error::Error;
use tonic::{Request, Response, Status, async_trait};

type Answer<Req, Rsp> = Arc<dyn Fn(Req) -> Result<Rsp, Error> + Send + Sync>;

#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    answers: HashMap<&'static str, Box<dyn Any + Send>>,
    asked: Vec<(&'static str, Box<dyn Any + Send>)>,
    traceparents: Vec<String>,
}

impl Fake {
    /// What `method` answers from now on. A method that has no answer is not implemented.
    pub(crate) fn on<Req: 'static, Rsp: 'static>(
        &self,
        method: &'static str,
        answer: impl Fn(Req) -> Result<Rsp, Error> + Send + Sync + 'static,
    ) {
        let answer: Answer<Req, Rsp> = Arc::new(answer);
        self.0.lock().unwrap().answers.insert(method, Box::new(answer));
    }

    /// All that `method` was asked so far.
    pub(crate) fn asked<Req: Clone + 'static>(&self, method: &str) -> Vec<Req> {
        let inner = self.0.lock().unwrap();
        let of_method = inner.asked.iter().filter(|(name, _)| *name == method);
        of_method.map(|(_, req)| req.downcast_ref::<Req>().expect("the method's request").clone()).collect()
    }

    /// The only thing that `method` was asked.
    #[track_caller]
    pub(crate) fn asked_once<Req: Clone + 'static>(&self, method: &str) -> Req {
        let mut asked = self.asked::<Req>(method);
        assert_eq!(asked.len(), 1, "{method} was not asked once");
        asked.remove(0)
    }

    pub(crate) fn traceparents(&self) -> Vec<String> {
        self.0.lock().unwrap().traceparents.clone()
    }

    fn call<Req, Rsp>(&self, method: &'static str, req: Request<Req>) -> Result<Response<Rsp>, Status>
    where
        Req: Clone + Send + 'static,
        Rsp: 'static,
    {
        let traceparent = req.metadata().get("traceparent").map(|value| value.to_str().unwrap().to_owned());
        let req = req.into_inner();
        let answer = {
            let mut inner = self.0.lock().unwrap();
            inner.traceparents.extend(traceparent);
            inner.asked.push((method, Box::new(req.clone())));
            let answer = inner.answers.get(method).ok_or_else(|| Status::unimplemented(method))?;
            answer.downcast_ref::<Answer<Req, Rsp>>().expect("the method's types").clone()
        };
        Ok(Response::new(answer(req)?))
    }
}

macro_rules! fake {
    ($trait:ident, $package:ident, $($method:ident($req:ident) -> $rsp:ident,)+) => {
        #[async_trait]
        impl $trait for Fake {
            $(async fn $method(
                &self,
                req: Request<$package::v1::$req>,
            ) -> Result<Response<$package::v1::$rsp>, Status> {
                self.call(stringify!($method), req)
            })+
        }
    };
}

fake! { User, user,
    register(RegisterRequest) -> Profile,
    login(LoginRequest) -> Tokens,
    refresh(RefreshRequest) -> Tokens,
    logout(LogoutRequest) -> LogoutResponse,
    get_user(GetUserRequest) -> Profile,
    list_keys(ListKeysRequest) -> ListKeysResponse,
}

fake! { Product, product,
    list_categories(ListCategoriesRequest) -> ListCategoriesResponse,
    list_products(ListProductsRequest) -> ListProductsResponse,
    get_product(GetProductRequest) -> Item,
    get_products(GetProductsRequest) -> GetProductsResponse,
    create_product(CreateProductRequest) -> Item,
    update_product(UpdateProductRequest) -> Item,
    get_stock(GetStockRequest) -> Stock,
    adjust_stock(AdjustStockRequest) -> Stock,
    reserve(ReserveRequest) -> Reservation,
    pin_reservation(PinReservationRequest) -> Reservation,
    release(ReleaseRequest) -> ReleaseResponse,
}

fake! { Order, order,
    get_cart(GetCartRequest) -> Cart,
    set_cart_item(SetCartItemRequest) -> Cart,
    remove_cart_item(RemoveCartItemRequest) -> Cart,
    clear_cart(ClearCartRequest) -> ClearCartResponse,
    place_order(PlaceOrderRequest) -> OrderView,
    pay_order(PayOrderRequest) -> OrderView,
    cancel_order(CancelOrderRequest) -> OrderView,
    get_order(GetOrderRequest) -> OrderView,
    list_orders(ListOrdersRequest) -> ListOrdersResponse,
    ship_order(MoveOrderRequest) -> OrderView,
    deliver_order(MoveOrderRequest) -> OrderView,
    refund_order(MoveOrderRequest) -> OrderView,
}
