//! The use cases, one a file.

pub(crate) mod adjust_stock;
pub(crate) mod create_product;
pub(crate) mod get_product;
pub(crate) mod get_products;
pub(crate) mod get_stock;
pub(crate) mod list_categories;
pub(crate) mod list_products;
pub(crate) mod pin_reservation;
pub(crate) mod release;
pub(crate) mod reserve;
pub(crate) mod update_product;

use shared::error::Error;

fn no_such_product() -> Error {
    Error::not_found("no such product")
}
