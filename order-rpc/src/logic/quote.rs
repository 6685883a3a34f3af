//! What an order will be before anything of it is written: checked, merged, priced, and compared with what the customer was
//! shown.

use proto::order::v1::{Address, PlaceOrderRequest};
use proto::product::v1::{Line, Reservation, ReserveRequest};
use proto::v1::Money;
use serde_json::json;
use shared::error::{Code, Error, Result, Violation};

use super::get_cart::known_lines;
use super::lines::{self, Wanted};
use crate::svc::ServiceContext;

pub(super) struct Quote {
    pub(super) lines: Vec<Priced>,
    pub(super) total: Money,
}

/// A line with the name and the price of now.
pub(super) struct Priced {
    pub(super) wanted: Wanted,
    pub(super) name: String,
    pub(super) unit_price: i64,
}

/// What can be told from the request alone: every fault at once.
pub(super) fn check(req: &PlaceOrderRequest) -> Result<()> {
    let mut faults = match lines(req) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().to_vec(),
    };
    match &req.address {
        Some(address) => check_address(address, &mut faults),
        None => faults.push(Violation::new("/address", "is required")),
    }
    if req.expected_total.as_ref().is_some_and(|total| total.amount < 0) {
        faults.push(Violation::new("/expected_total/amount", "must not be negative"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}

/// Of the request; none where the cart is ordered.
fn lines(req: &PlaceOrderRequest) -> Result<Vec<Wanted>> {
    match (req.from_cart, req.items.is_empty()) {
        (true, true) => Ok(Vec::new()),
        (true, false) => {
            Err(Error::invalid(vec![Violation::new("/items", "must be empty to order the cart")]))
        }
        (false, _) => lines::merge(&req.items),
    }
}

fn check_address(address: &Address, faults: &mut Vec<Violation>) {
    let line2 = address.line2.as_deref().unwrap_or_default();
    let texts = [
        ("name", address.name.as_str(), 1, 100),
        ("line1", address.line1.as_str(), 1, 200),
        ("line2", line2, 0, 200),
        ("city", address.city.as_str(), 1, 100),
        ("postal_code", address.postal_code.as_str(), 1, 20),
    ];
    for (field, text, least, most) in texts {
        // It will stand on a label.
        let is_one_line = !text.contains(char::is_control);
        if text.trim().chars().count() < least || text.chars().count() > most || !is_one_line {
            let detail = format!("must have {least} to {most} characters in one line");
            faults.push(Violation::new(format!("/address/{field}"), detail));
        }
    }
    let country = &address.country;
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let detail = "must be two capital letters (ISO 3166-1 alpha-2)";
        faults.push(Violation::new("/address/country", detail));
    }
}

/// Refused where a product does not exist, or the total is not the expected one.
pub(super) async fn quote(ctx: &ServiceContext, req: &PlaceOrderRequest) -> Result<Quote> {
    let lines =
        if req.from_cart { from_cart(ctx, &req.user_id).await? } else { from_request(ctx, req).await? };
    let total = lines::total(ctx, lines.iter().map(|line| (line.unit_price, line.wanted.quantity)))?;
    if total.amount == 0 {
        // There is no charge of nothing, and so no end of paying it.
        return Err(Error::invalid(vec![Violation::new("/items", "cost nothing")]));
    }
    match &req.expected_total {
        Some(expected) if *expected != total => Err(price_changed(&total)),
        _ => Ok(Quote { lines, total }),
    }
}

fn price_changed(total: &Money) -> Error {
    let Money { amount, currency } = total;
    Error::new(Code::Conflict, "price_changed", "the total is not the expected one")
        .with("total", json!({"amount": amount, "currency": currency}))
}

async fn from_request(ctx: &ServiceContext, req: &PlaceOrderRequest) -> Result<Vec<Priced>> {
    let wanted = lines(req)?;
    let ids = wanted.iter().map(|line| line.product_id.clone()).collect();
    let mut products = lines::products(ctx, ids).await?;
    let (mut priced, mut faults) = (Vec::with_capacity(wanted.len()), Vec::new());
    for wanted in wanted {
        match products.remove(&wanted.product_id) {
            Some(item) => {
                priced.push(Priced { unit_price: lines::unit_price(ctx, &item)?, name: item.name, wanted });
            }
            None => {
                let pointer = format!("/items/{}/product_id", wanted.at);
                faults.push(Violation::new(pointer, "there is no such product"));
            }
        }
    }
    if faults.is_empty() { Ok(priced) } else { Err(Error::invalid(faults)) }
}

/// Faults point to the lines of the cart as it is shown.
async fn from_cart(ctx: &ServiceContext, user_id: &str) -> Result<Vec<Priced>> {
    let known = known_lines(ctx, user_id).await?;
    if known.is_empty() {
        return Err(Error::new(Code::InvalidArgument, "cart_empty", "the cart is empty"));
    }
    let priced = known.into_iter().enumerate().map(|(at, (item, quantity))| {
        let unit_price = lines::unit_price(ctx, &item)?;
        Ok(Priced { wanted: Wanted { product_id: item.id, quantity, at }, name: item.name, unit_price })
    });
    priced.collect()
}

/// Holds all of the lines or none, for as long as the order may wait and a little longer.
pub(super) async fn reserve(ctx: &ServiceContext, quote: &Quote, order_id: &str) -> Result<Reservation> {
    let line =
        |line: &Priced| Line { product_id: line.wanted.product_id.clone(), quantity: line.wanted.quantity };
    let ttl = ctx.config.order.expiry + ctx.config.order.hold_margin;
    let req = ReserveRequest {
        order_id: order_id.to_owned(),
        lines: quote.lines.iter().map(line).collect(),
        ttl_ms: ttl.as_millis() as i64,
    };
    match ctx.product().reserve(req).await {
        Ok(rsp) => Ok(rsp.into_inner()),
        Err(status) => Err(point_back(status.into(), &quote.lines)),
    }
}

/// product-rpc numbers the merged lines; the customer knows those of the request.
fn point_back(refused: Error, lines: &[Priced]) -> Error {
    let point = |fault: &Violation| {
        let theirs = || {
            let (number, field) = fault.pointer.strip_prefix("/items/")?.split_once('/')?;
            let line = lines.get(number.parse::<usize>().ok()?)?;
            Some(format!("/items/{}/{field}", line.wanted.at))
        };
        let pointer = theirs().unwrap_or_else(|| fault.pointer.clone());
        Violation { pointer, ..fault.clone() }
    };
    let faults = refused.faults().iter().map(point).collect();
    refused.violations(faults)
}
