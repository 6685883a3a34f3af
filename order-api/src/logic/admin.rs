//! What administrators do with orders, products and stock.

use proto::order::v1::{ListOrdersRequest, MoveOrderRequest};
use proto::product::v1::{AdjustStockRequest, CreateProductRequest, GetStockRequest, UpdateProductRequest};
use shared::error::{Code, Error, Result};
use shared::pipeline::auth::Caller;
use shared::rest::{Reply, etag};

use super::idempotency_key;
use crate::api::types::{
    AdjustStockReq, CreateProductReq, EditProductReq, ListOrdersReq, MoveOrderReq, Order, OrderList, Product,
    ProductReq, Stock,
};
use crate::convert;
use crate::svc::ServiceContext;

pub(crate) async fn list_orders(ctx: &ServiceContext, _: Caller, req: ListOrdersReq) -> Result<OrderList> {
    let req = ListOrdersRequest {
        // Of everybody.
        user_id: String::new(),
        status: req.status.unwrap_or_default(),
        page: Some(convert::into_page(req.page_size, req.page_token)),
    };
    convert::order_list(ctx.order().list_orders(req).await?.into_inner())
}

pub(crate) async fn ship_order(ctx: &ServiceContext, caller: Caller, req: MoveOrderReq) -> Result<Order> {
    convert::order(ctx.order().ship_order(step(caller, req)).await?.into_inner())
}

pub(crate) async fn deliver_order(ctx: &ServiceContext, caller: Caller, req: MoveOrderReq) -> Result<Order> {
    convert::order(ctx.order().deliver_order(step(caller, req)).await?.into_inner())
}

pub(crate) async fn refund_order(ctx: &ServiceContext, caller: Caller, req: MoveOrderReq) -> Result<Order> {
    convert::order(ctx.order().refund_order(step(caller, req)).await?.into_inner())
}

fn step(caller: Caller, req: MoveOrderReq) -> MoveOrderRequest {
    MoveOrderRequest { order_id: req.id, reason: req.reason.unwrap_or_default(), actor_id: caller.id }
}

pub(crate) async fn create_product(
    ctx: &ServiceContext,
    _: Caller,
    req: CreateProductReq,
) -> Result<Reply<Product>> {
    let req = CreateProductRequest {
        id: req.id.unwrap_or_default(),
        name: req.name,
        description: req.description,
        category_id: req.category_id,
        price: Some(convert::into_money(req.price)),
        image_url: req.image_url.unwrap_or_default(),
        on_hand: req.on_hand,
    };
    let product = convert::product(ctx.product().create_product(req).await?.into_inner())?;
    let (path, version) = (format!("/v1/products/{}", product.id), product.version);
    Ok(Reply::created(product).location(&path).etag(version))
}

pub(crate) async fn edit_product(
    ctx: &ServiceContext,
    _: Caller,
    req: EditProductReq,
) -> Result<Reply<Product>> {
    let expected = req.if_match.ok_or_else(|| {
        Error::of(Code::PreconditionRequired, "this needs If-Match with the version that is to be changed")
    })?;
    let expected_version = etag::expected_version(&expected).ok_or_else(|| {
        Error::of(Code::PreconditionFailed, "If-Match must name one version, such as \"3\"")
    })?;
    let req = UpdateProductRequest {
        id: req.id,
        expected_version,
        name: req.name,
        description: req.description,
        category_id: req.category_id,
        price: req.price.map(convert::into_money),
        image_url: req.image_url,
    };
    let product = convert::product(ctx.product().update_product(req).await?.into_inner())?;
    let version = product.version;
    Ok(Reply::ok(product).etag(version))
}

pub(crate) async fn get_stock(ctx: &ServiceContext, _: Caller, req: ProductReq) -> Result<Stock> {
    let stock = ctx.product().get_stock(GetStockRequest { product_id: req.id }).await?.into_inner();
    Ok(convert::stock(stock))
}

pub(crate) async fn adjust_stock(ctx: &ServiceContext, caller: Caller, req: AdjustStockReq) -> Result<Stock> {
    let req = AdjustStockRequest {
        product_id: req.id,
        delta: req.delta,
        reason: req.reason,
        idempotency_key: idempotency_key(req.idempotency_key)?,
        user_id: caller.id,
    };
    Ok(convert::stock(ctx.product().adjust_stock(req).await?.into_inner()))
}
