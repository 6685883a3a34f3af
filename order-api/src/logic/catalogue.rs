//! The catalogue, as everybody sees it.

use proto::product::v1::{GetProductRequest, ListCategoriesRequest, ListProductsRequest};
use shared::error::Result;
use shared::rest::{Reply, etag};

use crate::api::types::{CategoryList, GetProductReq, ListProductsReq, Product, ProductList};
use crate::convert;
use crate::svc::ServiceContext;

pub(crate) async fn list_categories(ctx: &ServiceContext) -> Result<CategoryList> {
    let list = ctx.product().list_categories(ListCategoriesRequest {}).await?.into_inner();
    Ok(CategoryList { items: list.items.into_iter().map(convert::category).collect() })
}

pub(crate) async fn list_products(ctx: &ServiceContext, req: ListProductsReq) -> Result<ProductList> {
    let req = ListProductsRequest {
        category: req.category.unwrap_or_default(),
        query: req.q.unwrap_or_default(),
        sort: req.sort,
        page: Some(convert::into_page(req.page_size, req.page_token)),
    };
    convert::product_list(ctx.product().list_products(req).await?.into_inner())
}

pub(crate) async fn get_product(ctx: &ServiceContext, req: GetProductReq) -> Result<Reply<Product>> {
    let item = ctx.product().get_product(GetProductRequest { id: req.id }).await?.into_inner();
    let version = item.version;
    let reply = match req.if_none_match {
        Some(tags) if etag::is_known(&tags, version) => Reply::not_modified(),
        _ => Reply::ok(convert::product(item)?),
    };
    Ok(reply.etag(version))
}
