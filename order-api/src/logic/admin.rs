//! What administrators do with orders, products and stock.

use proto::order::v1::{ListOrdersRequest, MoveOrderRequest};
use proto::product::v1::{
    AdjustStockRequest, CreateProductRequest, GetProductRequest, GetStockRequest, UpdateProductRequest,
};
use shared::error::{Code, Error, Result};
use shared::pipeline::auth::Caller;
use shared::rest::Reply;
use shared::rest::etag::Expected;

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
    let tags = req.if_match.ok_or_else(|| {
        Error::of(Code::PreconditionRequired, "this needs If-Match with the version that is to be changed")
    })?;
    let expected_version = expected_version(ctx, &req.id, &Expected::parse(&tags)).await?;
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

/// Which version is to be changed. Where several would do it is the one of now, if it is among them: when it is another
/// one by the time of the change, product-rpc refuses.
async fn expected_version(ctx: &ServiceContext, id: &str, expected: &Expected) -> Result<i64> {
    match expected {
        Expected::OneOf(versions) if versions.is_empty() => {
            let detail = "If-Match must name a version, such as \"3\"";
            Err(Error::of(Code::PreconditionFailed, detail))
        }
        Expected::OneOf(versions) if versions.len() == 1 => Ok(versions[0]),
        _ => {
            let item = ctx.product().get_product(GetProductRequest { id: id.to_owned() }).await?.into_inner();
            if expected.fits(item.version) {
                Ok(item.version)
            } else {
                Err(Error::of(Code::PreconditionFailed, "the product has another version"))
            }
        }
    }
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
