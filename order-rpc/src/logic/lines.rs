//! The lines of a cart or an order: merged, and priced from the catalogue.

use std::collections::HashMap;

use proto::order::v1::Line;
use proto::product::v1::{GetProductsRequest, Item};
use proto::v1::Money;
use shared::error::{Error, Result, Violation};

use crate::config::MOST_LINES;
use crate::svc::ServiceContext;

pub(super) const MOST_OF_ONE: i32 = 99;

/// So many of a product. `at` is the line of the request that faults point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) product_id: String,
    pub(super) quantity: i32,
    pub(super) at: usize,
}

/// One line a product, in the order in which they first came. Tells of every fault at once.
pub(super) fn merge(items: &[Line]) -> Result<Vec<Wanted>> {
    if !(1..=MOST_LINES).contains(&items.len()) {
        let detail = format!("must have 1 to {MOST_LINES} lines");
        return Err(Error::invalid(vec![Violation::new("/items", detail)]));
    }
    let mut faults = Vec::new();
    let mut merged: Vec<Wanted> = Vec::new();
    for (at, line) in items.iter().enumerate() {
        if !(1..=64).contains(&line.product_id.chars().count()) {
            faults.push(Violation::new(format!("/items/{at}/product_id"), "must have 1 to 64 characters"));
        }
        if !(1..=MOST_OF_ONE).contains(&line.quantity) {
            faults.push(quantity_fault(at, "must be from 1 to 99"));
            continue;
        }
        match merged.iter_mut().find(|known| known.product_id == line.product_id) {
            // At most 50 times 99.
            Some(known) => known.quantity += line.quantity,
            None => {
                let (product_id, quantity) = (line.product_id.clone(), line.quantity);
                merged.push(Wanted { product_id, quantity, at });
            }
        }
    }
    for wanted in merged.iter().filter(|wanted| wanted.quantity > MOST_OF_ONE) {
        let detail = format!("the lines of this product make {}, and at most 99 can be had", wanted.quantity);
        faults.push(quantity_fault(wanted.at, &detail));
    }
    if faults.is_empty() { Ok(merged) } else { Err(Error::invalid(faults)) }
}

fn quantity_fault(at: usize, detail: &str) -> Violation {
    Violation::new(format!("/items/{at}/quantity"), detail)
}

/// Those of the products that exist, by id.
pub(super) async fn products(ctx: &ServiceContext, ids: Vec<String>) -> Result<HashMap<String, Item>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rsp = ctx.product().get_products(GetProductsRequest { ids }).await?.into_inner();
    Ok(rsp.items.into_iter().map(|item| (item.id.clone(), item)).collect())
}

/// The price of one, in the shop's currency.
pub(super) fn unit_price(ctx: &ServiceContext, item: &Item) -> Result<i64> {
    match &item.price {
        Some(price) if price.currency == ctx.config.currency && price.amount >= 0 => Ok(price.amount),
        _ => Err(Error::internal(format!("the product {} has no price in {}", item.id, ctx.config.currency))),
    }
}

/// Adds up prices and quantities.
pub(super) fn total(ctx: &ServiceContext, lines: impl Iterator<Item = (i64, i32)>) -> Result<Money> {
    let amount = sum(lines).ok_or_else(|| Error::invalid(vec![Violation::new("/items", "cost too much")]))?;
    Ok(Money { amount, currency: ctx.config.currency.clone() })
}

fn sum(mut lines: impl Iterator<Item = (i64, i32)>) -> Option<i64> {
    lines.try_fold(0_i64, |sum, (price, quantity)| sum.checked_add(price.checked_mul(quantity.into())?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(product_id: &str, quantity: i32) -> Line {
        Line { product_id: product_id.into(), quantity }
    }

    #[test]
    fn a_product_that_comes_twice_is_one_line_where_it_first_stood() {
        let merged = merge(&[line("pot", 1), line("pan", 2), line("pot", 3)]).unwrap();
        let wanted = |id: &str, quantity, at| Wanted { product_id: id.into(), quantity, at };
        assert_eq!(merged, [wanted("pot", 4, 0), wanted("pan", 2, 1)]);
    }

    #[track_caller]
    fn refused(items: &[Line], pointers: &[&str]) {
        let refused = merge(items).unwrap_err();
        let faults: Vec<&str> = refused.faults().iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(faults, pointers);
    }

    #[test]
    fn faults_point_to_the_lines_of_the_request() {
        refused(&[], &["/items"]);
        refused(&vec![line("pot", 1); 51], &["/items"]);
        refused(
            &[line("pot", 0), line("", 1), line("pan", 100)],
            &["/items/0/quantity", "/items/1/product_id", "/items/2/quantity"],
        );
        refused(&[line("pan", 1), line("pot", 60), line("pot", 40)], &["/items/1/quantity"]);
    }

    #[test]
    fn a_sum_that_is_too_large_is_none() {
        assert_eq!(sum([(i64::MAX, 1), (1, 1)].into_iter()), None);
        assert_eq!(sum([(i64::MAX / 2, 3)].into_iter()), None);
        assert_eq!(sum([(i64::MAX, 1), (0, 99)].into_iter()), Some(i64::MAX));
    }

    proptest! {
        #[test]
        fn merging_loses_nothing(lines in prop::collection::vec((0..5_u8, 1..5_i32), 1..20)) {
            let items: Vec<Line> = lines.iter().map(|(id, quantity)| line(&id.to_string(), *quantity)).collect();
            let merged = merge(&items).unwrap();
            for wanted in &merged {
                let of_it = |line: &&Line| line.product_id == wanted.product_id;
                prop_assert_eq!(wanted.quantity, items.iter().filter(of_it).map(|line| line.quantity).sum::<i32>());
                prop_assert_eq!(Some(wanted.at), items.iter().position(|line| of_it(&line)));
            }
            let total: i32 = merged.iter().map(|wanted| wanted.quantity).sum();
            prop_assert_eq!(total, items.iter().map(|line| line.quantity).sum::<i32>());
        }

        #[test]
        fn a_sum_is_exact(lines in prop::collection::vec((0..i64::MAX, 1..=99_i32), 0..50)) {
            let exact: i128 = lines.iter().map(|(price, quantity)| i128::from(*price) * i128::from(*quantity)).sum();
            prop_assert_eq!(sum(lines.into_iter()), i64::try_from(exact).ok());
        }
    }
}
