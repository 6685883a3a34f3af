//! `options=a|b`, or as go-zero also has it, `options=[a,b]`.

use super::default::{check, literal};
use super::misplaced;
use crate::diagnostics::{Diagnostic, Faults};
use crate::model::{Literal, Rule, Type};
use crate::syntax::ast::Name;
use crate::syntax::span::Located;

/// `rules` are the others of the field.
pub(super) fn options(text: &Name, item: &Type, rules: &[Rule], faults: &mut Faults) -> Option<Rule> {
    if !matches!(item, Type::Text | Type::Integer { .. }) {
        misplaced("options", "strings and integers", text, item, faults);
        return None;
    }
    let mut options: Vec<String> = Vec::new();
    for option in words(text) {
        let wrong = if option.value.is_empty() {
            Some("an option is empty")
        } else if options.contains(&option.value) {
            Some("this option is there already")
        } else {
            None
        };
        match wrong {
            Some(wrong) => faults.add(Diagnostic::new(wrong, option.span, "expected another option")),
            None => {
                let value = literal(&option, item, faults)?;
                check(&value, "this option", &option, rules, faults);
                options.push(written(&value));
            }
        }
    }
    Some(Rule::Options(options))
}

/// Numbers are compared by their text, so there is one text for each.
fn written(value: &Literal) -> String {
    match value {
        Literal::Text(text) => text.clone(),
        Literal::Integer(number) => number.to_string(),
        Literal::Number(number) => number.to_string(),
        Literal::Bool(value) => value.to_string(),
    }
}

fn words(text: &Name) -> Vec<Name> {
    let value = text.value.as_str();
    let listed = value.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let (inner, separator, mut at) = match listed {
        Some(inner) => (inner, ',', 1),
        None => (value, '|', 0),
    };
    let mut words = Vec::new();
    for word in inner.split(separator) {
        let trimmed = word.trim();
        let begin = at + word.len() - word.trim_start().len();
        words.push(Located::new(trimmed.to_owned(), text.span.part(begin, begin + trimmed.len())));
        at += word.len() + 1;
    }
    words
}
