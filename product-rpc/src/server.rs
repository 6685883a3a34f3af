//! The contract's methods, one line each.

use proto::product::v1::product_server::Product;
use proto::product::v1::{
    AdjustStockRequest, CreateProductRequest, GetProductRequest, GetProductsRequest, GetProductsResponse,
    GetStockRequest, Item, ListCategoriesRequest, ListCategoriesResponse, ListProductsRequest,
    ListProductsResponse, PinReservationRequest, ReleaseRequest, ReleaseResponse, Reservation,
    ReserveRequest, Stock, UpdateProductRequest,
};
use tonic::{Request, Response, Status, async_trait};

use crate::logic;
use crate::svc::ServiceContext;

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl Product for ServiceContext {
    async fn list_categories(&self, _: Request<ListCategoriesRequest>) -> Answer<ListCategoriesResponse> {
        Ok(Response::new(logic::list_categories::list_categories(self).await?))
    }

    async fn list_products(&self, req: Request<ListProductsRequest>) -> Answer<ListProductsResponse> {
        Ok(Response::new(logic::list_products::list_products(self, req.into_inner()).await?))
    }

    async fn get_product(&self, req: Request<GetProductRequest>) -> Answer<Item> {
        Ok(Response::new(logic::get_product::get_product(self, req.into_inner()).await?))
    }

    async fn get_products(&self, req: Request<GetProductsRequest>) -> Answer<GetProductsResponse> {
        Ok(Response::new(logic::get_products::get_products(self, req.into_inner()).await?))
    }

    async fn create_product(&self, req: Request<CreateProductRequest>) -> Answer<Item> {
        Ok(Response::new(logic::create_product::create_product(self, req.into_inner()).await?))
    }

    async fn update_product(&self, req: Request<UpdateProductRequest>) -> Answer<Item> {
        Ok(Response::new(logic::update_product::update_product(self, req.into_inner()).await?))
    }

    async fn get_stock(&self, req: Request<GetStockRequest>) -> Answer<Stock> {
        Ok(Response::new(logic::get_stock::get_stock(self, req.into_inner()).await?))
    }

    async fn adjust_stock(&self, req: Request<AdjustStockRequest>) -> Answer<Stock> {
        Ok(Response::new(logic::adjust_stock::adjust_stock(self, req.into_inner()).await?))
    }

    async fn reserve(&self, req: Request<ReserveRequest>) -> Answer<Reservation> {
        Ok(Response::new(logic::reserve::reserve(self, req.into_inner()).await?))
    }

    async fn pin_reservation(&self, req: Request<PinReservationRequest>) -> Answer<Reservation> {
        Ok(Response::new(logic::pin_reservation::pin_reservation(self, req.into_inner()).await?))
    }

    async fn release(&self, req: Request<ReleaseRequest>) -> Answer<ReleaseResponse> {
        Ok(Response::new(logic::release::release(self, req.into_inner()).await?))
    }
}
