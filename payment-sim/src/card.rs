//! What a card makes of its charge. Its number and cvc go no further than here.

use crate::api::types::Card;

/// What becomes of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Succeeds,
    Declined(&'static str),
    /// Pending first.
    SucceedsLater,
    DeclinedLater(&'static str),
    /// The provider breaks: nothing is charged, and nothing is remembered.
    Breaks,
    /// Charged, and the answer never comes.
    Unanswered,
}

/// The fate of a charge to `card` in `month`, such as 2026-11. A card is good to the end of its last month.
pub(crate) fn fate(card: &Card, month: &str) -> Fate {
    if card.number == "4000000000000119" {
        return Fate::Breaks;
    }
    // Both have as many digits, so the order of texts is that of time.
    if *format!("{:04}-{:02}", card.exp_year, card.exp_month) < *month {
        return Fate::Declined("expired_card");
    }
    match card.number.as_str() {
        "4242424242424242" => Fate::Succeeds,
        "4000000000009995" => Fate::Declined("insufficient_funds"),
        "4000000000000069" => Fate::Declined("expired_card"),
        "4000000000000127" => Fate::Declined("incorrect_cvc"),
        "4000000000000044" => Fate::SucceedsLater,
        "4000000000000051" => Fate::DeclinedLater("card_declined"),
        "4000000000000093" => Fate::Unanswered,
        _ => Fate::Declined("card_declined"),
    }
}

/// By the first digits, as issuers have them; `unknown` where none is theirs.
pub(crate) fn brand(number: &str) -> &'static str {
    let first = |digits: usize| number.get(..digits).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    match (first(1), first(2), first(4)) {
        (4, _, _) => "visa",
        (_, 51..=55, _) | (_, _, 2221..=2720) => "mastercard",
        (_, 34 | 37, _) => "amex",
        (_, 65, _) | (_, _, 6011) => "discover",
        (_, 35, _) => "jcb",
        (_, 30 | 36 | 38, _) => "diners",
        _ => "unknown",
    }
}

/// What customers may see of a number.
pub(crate) fn last4(number: &str) -> &str {
    number.len().checked_sub(4).and_then(|start| number.get(start..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(number: &str, exp_year: i32, exp_month: i32) -> Card {
        Card { number: number.to_owned(), exp_month, exp_year, cvc: "123".to_owned() }
    }

    #[test]
    fn each_test_card_has_its_fate_and_any_other_is_declined() {
        let cases = [
            ("4242424242424242", Fate::Succeeds),
            ("4000000000000002", Fate::Declined("card_declined")),
            ("4000000000009995", Fate::Declined("insufficient_funds")),
            ("4000000000000069", Fate::Declined("expired_card")),
            ("4000000000000127", Fate::Declined("incorrect_cvc")),
            ("4000000000000119", Fate::Breaks),
            ("4000000000000044", Fate::SucceedsLater),
            ("4000000000000051", Fate::DeclinedLater("card_declined")),
            ("4000000000000093", Fate::Unanswered),
            ("5555555555554444", Fate::Declined("card_declined")),
        ];
        for (number, expected) in cases {
            assert_eq!(fate(&card(number, 2030, 1), "2026-11"), expected, "{number}");
        }
    }

    #[test]
    fn a_card_is_good_to_the_end_of_its_last_month() {
        let good = |year, month| fate(&card("4242424242424242", year, month), "2026-11") == Fate::Succeeds;
        assert!(good(2026, 11) && good(2026, 12) && good(2027, 1));
        assert!(!good(2026, 10) && !good(2025, 12) && !good(2026, 9));
        assert_eq!(fate(&card("4000000000000119", 2020, 1), "2026-11"), Fate::Breaks);
    }

    #[test]
    fn a_number_shows_its_brand_and_its_end() {
        let cases = [
            ("4242424242424242", "visa", "4242"),
            ("5555555555554444", "mastercard", "4444"),
            ("2223003122003222", "mastercard", "3222"),
            ("378282246310005", "amex", "0005"),
            ("6011111111111117", "discover", "1117"),
            ("3566002020360505", "jcb", "0505"),
            ("36227206271667", "diners", "1667"),
            ("6200000000000005", "unknown", "0005"),
        ];
        for (number, shown, end) in cases {
            assert_eq!((brand(number), last4(number)), (shown, end));
        }
    }
}
