//! The orders of the signed-in user.

use proto::order::v1::{
    CancelOrderRequest, Card, GetOrderRequest, Line, ListOrdersRequest, PayOrderRequest, PlaceOrderRequest,
};
use shared::error::Result;
use shared::pipeline::auth::Caller;
use shared::rest::{Events, Reply};

use super::idempotency_key;
use crate::api::types::{
    ListOrdersReq, MoveOrderReq, Order, OrderList, OrderReq, PayOrderReq, PlaceOrderReq, WatchOrderReq,
};
use crate::convert;
use crate::live::watch;
use crate::svc::ServiceContext;

pub(crate) async fn place_order(
    ctx: &ServiceContext,
    caller: Caller,
    req: PlaceOrderReq,
) -> Result<Reply<Order>> {
    let from_cart = req.items.is_none();
    let items = req.items.unwrap_or_default().into_iter();
    let req = PlaceOrderRequest {
        user_id: caller.id,
        idempotency_key: idempotency_key(req.idempotency_key)?,
        items: items.map(|line| Line { product_id: line.product_id, quantity: line.quantity }).collect(),
        from_cart,
        address: Some(convert::into_address(req.address)),
        expected_total: req.expected_total.map(convert::into_money),
    };
    let order = convert::order(ctx.order().place_order(req).await?.into_inner())?;
    let path = format!("/v1/orders/{}", order.id);
    Ok(Reply::created(order).location(&path))
}

pub(crate) async fn list_orders(
    ctx: &ServiceContext,
    caller: Caller,
    req: ListOrdersReq,
) -> Result<OrderList> {
    let req = ListOrdersRequest {
        user_id: caller.id,
        status: req.status.unwrap_or_default(),
        page: Some(convert::into_page(req.page_size, req.page_token)),
    };
    convert::order_list(ctx.order().list_orders(req).await?.into_inner())
}

pub(crate) async fn get_order(ctx: &ServiceContext, caller: Caller, req: OrderReq) -> Result<Order> {
    let req = GetOrderRequest { user_id: caller.id, order_id: req.id };
    convert::order(ctx.order().get_order(req).await?.into_inner())
}

/// Where the provider has not decided, the order is `paying` and the answer a 202.
pub(crate) async fn pay_order(
    ctx: &ServiceContext,
    caller: Caller,
    req: PayOrderReq,
) -> Result<Reply<Order>> {
    let card = req.card;
    let req = PayOrderRequest {
        user_id: caller.id,
        order_id: req.id,
        idempotency_key: idempotency_key(req.idempotency_key)?,
        card: Some(Card {
            number: card.number,
            exp_month: card.exp_month,
            exp_year: card.exp_year,
            cvc: card.cvc,
        }),
    };
    let order = convert::order(ctx.order().pay_order(req).await?.into_inner())?;
    Ok(if order.status == "paying" { Reply::accepted(order) } else { Reply::ok(order) })
}

pub(crate) async fn cancel_order(ctx: &ServiceContext, caller: Caller, req: MoveOrderReq) -> Result<Order> {
    let reason = req.reason.unwrap_or_default();
    let req = CancelOrderRequest { user_id: caller.id, order_id: req.id, reason };
    convert::order(ctx.order().cancel_order(req).await?.into_inner())
}

pub(crate) async fn watch_order(ctx: &ServiceContext, caller: Caller, req: WatchOrderReq) -> Result<Events> {
    watch::open(ctx, caller, req.id, req.last_event_id).await
}
