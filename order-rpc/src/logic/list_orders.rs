//! ListOrders: a page of orders, newest first. Their ids begin with the time at which they were made.

use proto::order::v1::{ListOrdersRequest, ListOrdersResponse};
use shared::error::{Error, Result, Violation};
use shared::store::page::{self, Pages};

use super::view;
use crate::model::order::{self, Filter};
use crate::status::Status;
use crate::svc::ServiceContext;

pub(crate) async fn list_orders(ctx: &ServiceContext, req: ListOrdersRequest) -> Result<ListOrdersResponse> {
    let asked = req.page.unwrap_or_default();
    let size = page::size(asked.size)?;
    let filter = Filter { user_id: &req.user_id, status: status(&req.status)? };
    let pages = Pages::of(&(&req.user_id, &req.status));
    let after = pages.cursor(&asked.token)?;
    let mut rows = order::list(&ctx.db, &filter, after, size + 1).await?;
    let next_page_token = pages.cut(&mut rows, size, |shown| shown.order.id.clone());
    Ok(ListOrdersResponse { items: view::of_all(&ctx.db, rows).await?, next_page_token })
}

fn status(name: &str) -> Result<Option<Status>> {
    if name.is_empty() {
        return Ok(None);
    }
    let known = Status::parse(name).map(Some);
    known.ok_or_else(|| Error::invalid(vec![Violation::new("/status", "is no status of an order")]))
}
