//! GetProduct.

use proto::product::v1::{GetProductRequest, Item};
use shared::error::Result;

use super::no_such_product;
use crate::model::product;
use crate::svc::ServiceContext;

pub(crate) async fn get_product(ctx: &ServiceContext, req: GetProductRequest) -> Result<Item> {
    product::by_id(&ctx.db, &req.id).await?.map(Into::into).ok_or_else(no_such_product)
}
