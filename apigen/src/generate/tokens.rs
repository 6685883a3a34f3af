//! Names and numbers of a contract as the tokens of Rust.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// A name as an identifier: raw where it is a keyword. The few that Rust cannot even have raw are in no contract.
pub(super) fn ident(name: &str) -> Ident {
    syn::parse_str(name).unwrap_or_else(|_| Ident::new_raw(name, Span::call_site()))
}

/// With underscores, as long numbers are read: `1_000_000`.
pub(super) fn integer(number: i128) -> TokenStream {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len() > 4 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    signed(number < 0, &grouped)
}

/// The shortest number that means the same.
pub(super) fn float(number: f64) -> TokenStream {
    signed(number.is_sign_negative(), &format!("{:?}", number.abs()))
}

fn signed(negative: bool, digits: &str) -> TokenStream {
    let literal: Literal = digits.parse().expect("digits are a literal");
    if negative { quote!(-#literal) } else { quote!(#literal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_raw() {
        for (name, expected) in [("type", "r#type"), ("id", "id"), ("async", "r#async")] {
            assert_eq!(ident(name).to_string(), expected);
        }
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        let integers = [(0, "0"), (9999, "9999"), (16384, "16_384"), (-1_000_000, "- 1_000_000")];
        for (number, expected) in integers {
            assert_eq!(integer(number).to_string(), expected);
        }
        for (number, expected) in [(0.5, "0.5"), (-1.0, "- 1.0"), (1e300, "1e300")] {
            assert_eq!(float(number).to_string(), expected);
        }
    }
}
