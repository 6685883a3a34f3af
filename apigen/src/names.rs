//! Names of a contract and what they become in Rust.

/// Snake case: `PageSize` → `page_size`, `CategoryID` → `category_id`, `CategoryIDs` → `category_ids`, `CardLast4` →
/// `card_last4`, `order-api` → `order_api`.
pub fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, &letter) in letters.iter().enumerate() {
        if letter == '-' {
            snake.push('_');
            continue;
        }
        let before = index.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(index + 1);
        let plural = after == Some(&'s') && letters.get(index + 2).is_none_or(char::is_ascii_uppercase);
        let starts_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase) && !plural
            });
        if starts_word {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// What types, fields, handlers and middleware are called: a capital letter, then letters and digits.
pub fn is_camel(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The keywords that cannot be an identifier, not even after `r#`.
pub fn is_reserved(snake: &str) -> bool {
    matches!(snake, "self" | "Self" | "super" | "crate" | "_" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_at_capitals() {
        let cases = [
            ("PageSize", "page_size"),
            ("ID", "id"),
            ("CategoryID", "category_id"),
            ("ImageURL", "image_url"),
            ("CategoryIDs", "category_ids"),
            ("IDsOfUsers", "ids_of_users"),
            ("HTTPSite", "http_site"),
            ("IfNoneMatch", "if_none_match"),
            ("Line1", "line1"),
            ("CardLast4", "card_last4"),
            ("HTTPServer", "http_server"),
            ("Sha256Sum", "sha256_sum"),
            ("X", "x"),
            ("order-api", "order_api"),
            ("user", "user"),
        ];
        for (name, expected) in cases {
            assert_eq!(snake(name), expected);
        }
    }

    #[test]
    fn camel_case_is_letters_and_digits() {
        assert!(is_camel("OrderItem2") && is_camel("ID"));
        assert!(!is_camel("orderItem") && !is_camel("Order_Item") && !is_camel("") && !is_camel("Ärger"));
    }
}
