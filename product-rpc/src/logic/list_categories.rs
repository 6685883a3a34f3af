//! ListCategories: read with every page of a shop, and changed with a product alone; so it comes from the cache.

use proto::product::v1::{Category, ListCategoriesResponse};
use shared::error::Result;

use crate::model::category;
use crate::svc::{ALL_CATEGORIES, ServiceContext};

pub(crate) async fn list_categories(ctx: &ServiceContext) -> Result<ListCategoriesResponse> {
    let db = ctx.db.clone();
    let load = async move { category::all(&db).await.map(Some) };
    let rows = ctx.categories.get_or_load(ALL_CATEGORIES, load).await?.unwrap_or_default();
    let show = |row: category::Category| Category { id: row.id, name: row.name, product_count: row.products };
    Ok(ListCategoriesResponse { items: rows.into_iter().map(show).collect() })
}
