//! GetStock.

use proto::product::v1::{GetStockRequest, Stock};
use shared::error::Result;

use super::no_such_product;
use crate::model::product;
use crate::svc::ServiceContext;

pub(crate) async fn get_stock(ctx: &ServiceContext, req: GetStockRequest) -> Result<Stock> {
    product::by_id(&ctx.db, &req.product_id).await?.map(Into::into).ok_or_else(no_such_product)
}
