//! ListProducts: a page of the catalogue.

use proto::product::v1::{ListProductsRequest, ListProductsResponse};
use shared::error::{Error, Result, Violation};
use shared::store::page::{self, Pages};

use crate::model::catalogue::{self, Filter, Sort};
use crate::svc::ServiceContext;

/// Of characters: each word is one more thing to look for in every row.
const LONGEST_QUERY: usize = 100;

pub(crate) async fn list_products(
    ctx: &ServiceContext,
    req: ListProductsRequest,
) -> Result<ListProductsResponse> {
    let asked = req.page.unwrap_or_default();
    let size = page::size(asked.size)?;
    let sort = sort(&req.sort)?;
    let filter = Filter { category: req.category, words: words(&req.query)?, sort };
    let pages = Pages::of(&filter);
    let after = pages.cursor(&asked.token)?;
    let mut rows = catalogue::page(&ctx.db, &filter, after, size + 1).await?;
    let next_page_token = pages.cut(&mut rows, size, |product| sort.cursor(product));
    Ok(ListProductsResponse { items: rows.into_iter().map(Into::into).collect(), next_page_token })
}

fn sort(name: &str) -> Result<Sort> {
    match name {
        "" | "name" => Ok(Sort::Name),
        "price" => Ok(Sort::Cheapest),
        "-price" => Ok(Sort::Dearest),
        "newest" => Ok(Sort::Newest),
        _ => Err(Error::invalid(vec![Violation::new("/sort", "must be name, price, -price or newest")])),
    }
}

fn words(query: &str) -> Result<Vec<String>> {
    if query.chars().count() > LONGEST_QUERY {
        let detail = format!("must have at most {LONGEST_QUERY} characters");
        return Err(Error::invalid(vec![Violation::new("/q", detail)]));
    }
    Ok(query.split_whitespace().map(str::to_owned).collect())
}
