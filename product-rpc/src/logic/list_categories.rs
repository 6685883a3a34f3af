//! ListCategories.

use proto::product::v1::{Category, ListCategoriesResponse};
use shared::error::Result;

use crate::model::category;
use crate::svc::ServiceContext;

pub(crate) async fn list_categories(ctx: &ServiceContext) -> Result<ListCategoriesResponse> {
    let rows = category::all(&ctx.db).await?.into_iter();
    let items = rows.map(|(id, name, product_count)| Category { id, name, product_count }).collect();
    Ok(ListCategoriesResponse { items })
}
