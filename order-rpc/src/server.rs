//! The contract's methods, one line each.

use proto::order::v1::order_server::Order;
use proto::order::v1::{
    CancelOrderRequest, Cart, ClearCartRequest, ClearCartResponse, GetCartRequest, GetOrderRequest,
    ListOrdersRequest, ListOrdersResponse, MoveOrderRequest, OrderView, PayOrderRequest, PlaceOrderRequest,
    RemoveCartItemRequest, SetCartItemRequest,
};
use tonic::{Request, Response, Status, async_trait};

use crate::logic;
use crate::svc::ServiceContext;

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl Order for ServiceContext {
    async fn get_cart(&self, req: Request<GetCartRequest>) -> Answer<Cart> {
        Ok(Response::new(logic::get_cart::get_cart(self, req.into_inner()).await?))
    }

    async fn set_cart_item(&self, req: Request<SetCartItemRequest>) -> Answer<Cart> {
        Ok(Response::new(logic::set_cart_item::set_cart_item(self, req.into_inner()).await?))
    }

    async fn remove_cart_item(&self, req: Request<RemoveCartItemRequest>) -> Answer<Cart> {
        Ok(Response::new(logic::remove_cart_item::remove_cart_item(self, req.into_inner()).await?))
    }

    async fn clear_cart(&self, req: Request<ClearCartRequest>) -> Answer<ClearCartResponse> {
        Ok(Response::new(logic::clear_cart::clear_cart(self, req.into_inner()).await?))
    }

    async fn place_order(&self, req: Request<PlaceOrderRequest>) -> Answer<OrderView> {
        Ok(Response::new(logic::place_order::place_order(self, req.into_inner()).await?))
    }

    async fn pay_order(&self, req: Request<PayOrderRequest>) -> Answer<OrderView> {
        Ok(Response::new(logic::pay_order::pay_order(self, req.into_inner()).await?))
    }

    async fn cancel_order(&self, req: Request<CancelOrderRequest>) -> Answer<OrderView> {
        Ok(Response::new(logic::cancel_order::cancel_order(self, req.into_inner()).await?))
    }

    async fn get_order(&self, req: Request<GetOrderRequest>) -> Answer<OrderView> {
        Ok(Response::new(logic::get_order::get_order(self, req.into_inner()).await?))
    }

    async fn list_orders(&self, req: Request<ListOrdersRequest>) -> Answer<ListOrdersResponse> {
        Ok(Response::new(logic::list_orders::list_orders(self, req.into_inner()).await?))
    }

    async fn ship_order(&self, req: Request<MoveOrderRequest>) -> Answer<OrderView> {
        Ok(Response::new(logic::ship_order::ship_order(self, req.into_inner()).await?))
    }

    async fn deliver_order(&self, req: Request<MoveOrderRequest>) -> Answer<OrderView> {
        Ok(Response::new(logic::deliver_order::deliver_order(self, req.into_inner()).await?))
    }

    async fn refund_order(&self, req: Request<MoveOrderRequest>) -> Answer<OrderView> {
        Ok(Response::new(logic::refund_order::refund_order(self, req.into_inner()).await?))
    }
}
