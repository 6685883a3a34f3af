//! The use cases, one a file, and what a product must be.

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
pub(crate) mod rules;
pub(crate) mod update_product;

use shared::error::{Error, Violation};

const LONGEST_ORDER_ID: usize = 36;

fn no_such_product() -> Error {
    Error::not_found("no such product")
}

fn order_id_fault(order_id: &str) -> Option<Violation> {
    let fits = (1..=LONGEST_ORDER_ID).contains(&order_id.len());
    (!fits).then(|| Violation::new("/order_id", format!("must have 1 to {LONGEST_ORDER_ID} bytes")))
}
