//! The rules of a tag, each with the type that it is about.

mod default;
mod interval;
mod options;

pub(super) use default::default;

use super::tag::Wire;
use super::types::describe;
use crate::diagnostics::{Diagnostic, Faults, did_you_mean, one_of};
use crate::model::{Rule, Type};
use crate::syntax::ast::Name;

/// Those of `shared::format::Format`.
const FORMATS: [&str; 7] = ["email", "country", "currency", "luhn", "uuid", "slug", "digits"];

pub(super) fn of(wire: &Wire, ty: &Type, faults: &mut Faults) -> Vec<Rule> {
    let item = item(ty);
    let mut rules = Vec::new();
    rules.extend(wire.range.as_ref().and_then(|range| interval::range(range, item, faults)));
    rules.extend(wire.length.as_ref().and_then(|length| interval::length(length, ty, faults)));
    rules.extend(wire.format.as_ref().and_then(|name| format(name, item, faults)));
    // Last, since they must fit the others.
    if let Some(options) = &wire.options {
        rules.extend(options::options(options, item, &rules, faults));
    }
    rules
}

/// All rules but that of the length are about the items of a list.
fn item(ty: &Type) -> &Type {
    match ty {
        Type::List(of) => match of.as_ref() {
            Type::Nullable(of) => of,
            of => of,
        },
        ty => ty,
    }
}

fn format(name: &Name, item: &Type, faults: &mut Faults) -> Option<Rule> {
    if *item != Type::Text {
        misplaced("format", "strings", name, item, faults);
        return None;
    }
    if !FORMATS.contains(&name.value.as_str()) {
        let title = format!("unknown format `{}`", name.value);
        let diagnostic = Diagnostic::new(title, name.span, format!("expected {}", one_of(&FORMATS)));
        faults.add(diagnostic.maybe_help(did_you_mean(&name.value, FORMATS)));
        return None;
    }
    Some(Rule::Format(name.value.clone()))
}

fn misplaced(rule: &str, about: &str, at: &Name, item: &Type, faults: &mut Faults) {
    let title = format!("`{rule}` is about {about}, and this is {}", describe(item));
    faults.add(Diagnostic::new(title, at.span, format!("expected no `{rule}` here")));
}
