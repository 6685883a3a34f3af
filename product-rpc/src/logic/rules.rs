//! What a product must be, whoever makes or edits it.

use shared::error::{Error, Result, Violation};
use shared::store::sql::Tx;

use crate::model::category;
use crate::model::product::Product;

/// In minor units. An order's total, 50 lines of 99, stays far from the end of an `i64`.
const MOST_PRICE: i64 = 100_000_000;

/// Refuses for all faults at once, those of `before` first.
pub(super) async fn check(
    tx: &mut Tx,
    product: &Product,
    currency: &str,
    before: &[Violation],
) -> Result<()> {
    let mut faults = [before, &self::faults(product, currency)].concat();
    if !category::exists(tx, &product.category_id).await? {
        faults.push(Violation::new("/category_id", "there is no such category"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}

/// What is wrong with it, as far as it can be told without the other tables.
pub(crate) fn faults(product: &Product, currency: &str) -> Vec<Violation> {
    let Product { id, name, description, image_url, price, .. } = product;
    let length = |text: &str| text.chars().count();
    let rules = [
        ("/id", is_slug(id), "must be 1 to 64 of a-z, 0-9 and -".to_owned()),
        (
            "/name",
            (1..=200).contains(&length(name)) && !name.contains(char::is_control),
            "must be 1 to 200 characters in one line".to_owned(),
        ),
        (
            "/description",
            length(description) <= 5000 && !description.contains(is_unwritable),
            "must be at most 5000 characters of text".to_owned(),
        ),
        (
            "/image_url",
            image_url.is_empty() || length(image_url) <= 500 && is_image_url(image_url),
            "must be a path or an http(s) URL of at most 500 characters".to_owned(),
        ),
        (
            "/price/amount",
            (0..=MOST_PRICE).contains(price),
            format!("must be from 0 to {MOST_PRICE} minor units"),
        ),
        ("/price/currency", product.currency == currency, format!("this shop sells in {currency}")),
    ];
    let broken = rules.into_iter().filter(|(_, holds, _)| !holds);
    broken.map(|(pointer, _, detail)| Violation::new(pointer, detail)).collect()
}

fn is_slug(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

fn is_unwritable(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

fn is_image_url(text: &str) -> bool {
    let is_path = text.starts_with('/') && !text.starts_with("//");
    (is_path || text.starts_with("https://") || text.starts_with("http://"))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
