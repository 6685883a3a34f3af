//! `default=20`: a value of the field's type that keeps the field's own rules.

use super::interval::{limits, outside};
use crate::analysis::types::describe;
use crate::diagnostics::{Diagnostic, Faults};
use crate::model::{Edge, Literal, Rule, Type};
use crate::syntax::ast::Name;

pub(in crate::analysis) fn default(
    text: &Name,
    ty: &Type,
    rules: &[Rule],
    faults: &mut Faults,
) -> Option<Literal> {
    let literal = literal(text, ty, faults)?;
    check(&literal, "the default", text, rules, faults);
    Some(literal)
}

/// What `text` means as a value of that type.
pub(super) fn literal(text: &Name, ty: &Type, faults: &mut Faults) -> Option<Literal> {
    let value = text.value.as_str();
    match *ty {
        Type::Text => return Some(Literal::Text(value.to_owned())),
        Type::Bool => {
            if let Ok(value) = value.parse() {
                return Some(Literal::Bool(value));
            }
        }
        Type::Integer { bits, signed } => {
            if let Ok(number) = value.parse::<i128>() {
                let (least, most) = limits(bits, signed);
                if !(least..=most).contains(&number) {
                    outside(number, least, most, text, faults);
                    return None;
                }
                return Some(Literal::Integer(number));
            }
        }
        Type::Float { .. } => {
            if let Some(number) = value.parse::<f64>().ok().filter(|number| number.is_finite()) {
                return Some(Literal::Number(number));
            }
        }
        _ => {
            let title = format!("{} cannot be written in a tag", describe(ty));
            faults.add(Diagnostic::new(
                title,
                text.span,
                "expected a field that is a string, a number or a bool",
            ));
            return None;
        }
    }
    let title = format!("`{value}` is not {}", describe(ty));
    faults.add(Diagnostic::new(title, text.span, format!("expected {}", describe(ty))));
    None
}

/// `what` is the subject of the message.
pub(super) fn check(literal: &Literal, what: &str, at: &Name, rules: &[Rule], faults: &mut Faults) {
    for rule in rules {
        if let Some(demand) = demand(rule, literal) {
            let title = format!("{what} breaks the field's own rules");
            faults.add(Diagnostic::new(title, at.span, demand));
        }
    }
}

/// What should have been, where the rule is broken. Formats are the framework's to know.
fn demand(rule: &Rule, literal: &Literal) -> Option<String> {
    match (rule, literal) {
        (Rule::Integer { from, to }, Literal::Integer(number)) => {
            let holds = from.is_none_or(|from| from <= *number) && to.is_none_or(|to| *number <= to);
            let end = |end: &Option<i128>| end.map(|end| end.to_string()).unwrap_or_default();
            (!holds).then(|| format!("out of [{}:{}]", end(from), end(to)))
        }
        (Rule::Number { from, to }, Literal::Number(number)) => {
            let above = match *from {
                Edge::Open => true,
                Edge::Included(from) => from <= *number,
                Edge::Excluded(from) => from < *number,
            };
            let below = match *to {
                Edge::Open => true,
                Edge::Included(to) => *number <= to,
                Edge::Excluded(to) => *number < to,
            };
            (!(above && below)).then(|| "out of the range".to_owned())
        }
        (Rule::Length { from, to }, Literal::Text(text)) => {
            let length = text.chars().count();
            let holds = *from <= length && to.is_none_or(|to| length <= to);
            let to = to.map(|to| to.to_string()).unwrap_or_default();
            (!holds).then(|| format!("its length is {length}, out of [{from}:{to}]"))
        }
        (Rule::Options(options), literal) => {
            let text = match literal {
                Literal::Text(text) => text.clone(),
                Literal::Integer(number) => number.to_string(),
                Literal::Number(number) => number.to_string(),
                Literal::Bool(value) => value.to_string(),
            };
            (!options.contains(&text)).then(|| format!("not one of {}", options.join(", ")))
        }
        _ => None,
    }
}
