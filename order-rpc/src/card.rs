//! A customer's card, on its way to the provider. Its number and code are never kept, logged or shown: only brand and
//! last four digits are.

use std::time::{Duration, UNIX_EPOCH};

use proto::order::v1;
use shared::config::Secret;
use shared::error::{Error, Result, Violation};
use shared::format::Format;

/// No `Debug`: nothing of it is for a log.
pub(crate) struct Card {
    pub(crate) number: Secret,
    pub(crate) exp_month: i32,
    pub(crate) exp_year: i32,
    pub(crate) cvc: Secret,
}

impl Card {
    /// Refuses what is no card; no refusal repeats what came. `now` is the time since the Unix epoch.
    pub(crate) fn parse(card: Option<v1::Card>, now: Duration) -> Result<Card> {
        let Some(card) = card else {
            return Err(Error::invalid(vec![Violation::new("/card", "is required")]));
        };
        let mut faults = Vec::new();
        if !Format::Luhn.fits(&card.number) {
            faults.push(Violation::new("/card/number", "is no card number"));
        }
        if !(3..=4).contains(&card.cvc.len()) || !Format::Digits.fits(&card.cvc) {
            faults.push(Violation::new("/card/cvc", "must be 3 or 4 digits"));
        }
        let (year, month) = year_and_month(now);
        if !(1..=12).contains(&card.exp_month) {
            faults.push(Violation::new("/card/exp_month", "must be from 1 to 12"));
        } else if card.exp_year < year || card.exp_year > year + 100 {
            let is_past = card.exp_year < year;
            let detail = if is_past { "the card has expired" } else { "is too far away" };
            faults.push(Violation::new("/card/exp_year", detail));
        } else if card.exp_year == year && card.exp_month < month {
            faults.push(Violation::new("/card/exp_month", "the card has expired"));
        }
        if !faults.is_empty() {
            return Err(Error::invalid(faults));
        }
        let v1::Card { number, exp_month, exp_year, cvc } = card;
        Ok(Card { number: Secret::new(number), exp_month, exp_year, cvc: Secret::new(cvc) })
    }

    pub(crate) fn last4(&self) -> &str {
        let number = self.number.expose();
        &number[number.len() - 4..]
    }

    pub(crate) fn brand(&self) -> &'static str {
        brand(self.number.expose())
    }

    /// What tells one card from another and is kept anyway. Not a digest of the number: all numbers that fit could be tried
    /// against it.
    pub(crate) fn imprint(&self) -> String {
        format!("{} {} {}/{}", self.brand(), self.last4(), self.exp_month, self.exp_year)
    }
}

/// By the issuer's range; the number has at least six digits.
fn brand(number: &str) -> &'static str {
    let first = |digits: usize| number[..digits].parse::<u32>().unwrap_or_default();
    match (first(1), first(2), first(3), first(4)) {
        (4, ..) => "visa",
        (_, 51..=55, ..) | (.., 2221..=2720) => "mastercard",
        (_, 34 | 37, ..) => "amex",
        (_, 65, ..) | (_, _, 644..=649, _) | (.., 6011) => "discover",
        (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => "diners",
        (.., 3528..=3589) => "jcb",
        (_, 62, ..) => "unionpay",
        _ => "unknown",
    }
}

/// In UTC.
fn year_and_month(now: Duration) -> (i32, i32) {
    let text = humantime::format_rfc3339_seconds(UNIX_EPOCH + now).to_string();
    let part = |range| text.get(range).and_then(|part: &str| part.parse().ok()).unwrap_or_default();
    (part(0..4), part(5..7))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24.
    const NOW: Duration = Duration::from_secs(1_795_500_000);

    fn card(number: &str, exp_month: i32, exp_year: i32, cvc: &str) -> Result<Card> {
        Card::parse(Some(v1::Card { number: number.into(), exp_month, exp_year, cvc: cvc.into() }), NOW)
    }

    #[track_caller]
    fn refused(parsed: Result<Card>, pointers: &[&str]) {
        let refused = parsed.err().expect("it is refused");
        let faults: Vec<&str> = refused.faults().iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(faults, pointers);
        assert!(!refused.chain().contains("4242"), "{}", refused.chain());
    }

    #[test]
    fn a_card_is_known_by_its_ends_alone() {
        let card = card("4242424242424242", 11, 2026, "123").unwrap();
        assert_eq!((card.brand(), card.last4()), ("visa", "4242"));
        assert_eq!(card.imprint(), "visa 4242 11/2026");
    }

    #[test]
    fn what_is_no_card_is_refused_without_being_repeated() {
        refused(card("4242424242424241", 12, 2030, "123"), &["/card/number"]);
        refused(card("4242 4242 4242 4242", 12, 2030, "123"), &["/card/number"]);
        refused(card("42424242", 12, 2030, "123"), &["/card/number"]);
        refused(card("", 13, 2030, "12a"), &["/card/number", "/card/cvc", "/card/exp_month"]);
        refused(card("4242424242424242", 12, 2030, "12345"), &["/card/cvc"]);
        refused(Card::parse(None, NOW), &["/card"]);
    }

    #[test]
    fn a_card_is_good_until_the_end_of_its_month() {
        refused(card("4242424242424242", 10, 2026, "123"), &["/card/exp_month"]);
        refused(card("4242424242424242", 12, 2025, "123"), &["/card/exp_year"]);
        refused(card("4242424242424242", 12, 2127, "123"), &["/card/exp_year"]);
        refused(card("4242424242424242", 0, 2030, "123"), &["/card/exp_month"]);
        assert!(card("4242424242424242", 1, 2027, "1234").is_ok());
    }

    #[test]
    fn brands_are_told_by_their_ranges() {
        for (number, expected) in [
            ("4000000000000002", "visa"),
            ("5555555555554444", "mastercard"),
            ("2223003122003222", "mastercard"),
            ("378282246310005", "amex"),
            ("6011111111111117", "discover"),
            ("6445644564456445", "discover"),
            ("3056930009020004", "diners"),
            ("36227206271667", "diners"),
            ("3566002020360505", "jcb"),
            ("6200000000000005", "unionpay"),
            ("9792000000000001", "unknown"),
        ] {
            assert_eq!(brand(number), expected, "{number}");
        }
    }
}
