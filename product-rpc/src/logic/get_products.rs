//! GetProducts: those of many ids that exist.

use proto::product::v1::{GetProductsRequest, GetProductsResponse};
use shared::error::{Error, Result, Violation};

use crate::model::product;
use crate::svc::ServiceContext;

const MOST: usize = 100;

pub(crate) async fn get_products(
    ctx: &ServiceContext,
    req: GetProductsRequest,
) -> Result<GetProductsResponse> {
    if req.ids.len() > MOST {
        return Err(Error::invalid(vec![Violation::new("/ids", format!("must be at most {MOST}"))]));
    }
    let rows = product::by_ids(&ctx.db, &req.ids).await?;
    Ok(GetProductsResponse { items: rows.into_iter().map(Into::into).collect() })
}
