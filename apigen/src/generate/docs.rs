//! Comments of the contract as doc comments.

use proc_macro2::TokenStream;
use quote::quote;

/// Columns, without the slashes.
const WIDTH: usize = 100;

pub(super) fn attributes<L: AsRef<str>>(lines: &[L]) -> TokenStream {
    let lines = lines.iter().map(|line| match unindented(&line.as_ref().replace('\t', "    ")) {
        line if line.is_empty() => line,
        line => format!(" {line}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// Four spaces would make it code, and code a test.
fn unindented(line: &str) -> String {
    let text = line.trim_start_matches(' ');
    let indent = line.len() - text.len();
    " ".repeat(indent.min(3)) + text
}

/// The words of `text` in lines that fit the page.
pub(super) fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one from the start");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
