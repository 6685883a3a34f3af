//! The rules that a contract puts on a value beside its type: how large, how long, which, and in what form.

use std::ops::{Bound, RangeInclusive};

use serde_json::Value;

use super::decode::{Faults, Pointer, integer};
use crate::format::Format;

/// One rule. All but [`Rule::Length`] hold for each item where the value is a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    Integer(RangeInclusive<i128>),
    Number(Bound<f64>, Bound<f64>),
    /// Characters of a text, items of a list, members of an object.
    Length(RangeInclusive<usize>),
    /// Numbers are compared by their text.
    Options(&'static [&'static str]),
    Format(Format),
}

/// Whether all rules hold; each that does not adds its fault. A value of another type than the rule is about passes:
/// it is refused for its type.
pub(super) fn check(value: &Value, rules: &[Rule], at: &Pointer<'_>, faults: &mut Faults) -> bool {
    let mut sound = true;
    for rule in rules {
        sound &= rule.check(value, at, faults);
    }
    sound
}

impl Rule {
    fn check(&self, value: &Value, at: &Pointer<'_>, faults: &mut Faults) -> bool {
        if let (Value::Array(items), false) = (value, matches!(self, Rule::Length(_))) {
            let mut sound = true;
            for (index, item) in items.iter().enumerate() {
                sound &= self.check(item, &at.item(index), faults);
            }
            return sound;
        }
        let holds = self.holds(value);
        if !holds {
            faults.add(at, self.demand(value));
        }
        holds
    }

    fn holds(&self, value: &Value) -> bool {
        match self {
            Rule::Integer(range) => integer(value).is_none_or(|number| range.contains(&number)),
            Rule::Number(from, to) => value.as_f64().is_none_or(|number| {
                let above = match *from {
                    Bound::Included(from) => number >= from,
                    Bound::Excluded(from) => number > from,
                    Bound::Unbounded => true,
                };
                above
                    && match *to {
                        Bound::Included(to) => number <= to,
                        Bound::Excluded(to) => number < to,
                        Bound::Unbounded => true,
                    }
            }),
            Rule::Length(range) => length(value).is_none_or(|length| range.contains(&length)),
            Rule::Options(options) => match value {
                Value::String(text) => options.contains(&text.as_str()),
                Value::Number(number) => options.contains(&number.to_string().as_str()),
                _ => true,
            },
            Rule::Format(format) => value.as_str().is_none_or(|text| format.fits(text)),
        }
    }

    /// What a value should have been. The value itself is not repeated: it may be a password.
    fn demand(&self, value: &Value) -> String {
        match self {
            Rule::Integer(range) => match (*range.start(), *range.end()) {
                (i128::MIN, to) => format!("must be at most {to}"),
                (from, i128::MAX) => format!("must be at least {from}"),
                (from, to) => format!("must be between {from} and {to}"),
            },
            Rule::Number(from, to) => {
                let from = match from {
                    Bound::Included(from) => Some(format!("at least {from}")),
                    Bound::Excluded(from) => Some(format!("more than {from}")),
                    Bound::Unbounded => None,
                };
                let to = match to {
                    Bound::Included(to) => Some(format!("at most {to}")),
                    Bound::Excluded(to) => Some(format!("less than {to}")),
                    Bound::Unbounded => None,
                };
                let both: Vec<String> = from.into_iter().chain(to).collect();
                format!("must be {}", both.join(" and "))
            }
            Rule::Length(range) => {
                let what = match value {
                    Value::Array(_) => "items",
                    Value::Object(_) => "members",
                    _ => "characters",
                };
                match (*range.start(), *range.end()) {
                    (1, usize::MAX) => "must not be empty".to_owned(),
                    (from, usize::MAX) => format!("must have at least {from} {what}"),
                    (0, to) => format!("must have at most {to} {what}"),
                    (from, to) if from == to => format!("must have {to} {what}"),
                    (from, to) => format!("must have {from} to {to} {what}"),
                }
            }
            Rule::Options(options) => format!("must be one of {}", options.join(", ")),
            Rule::Format(format) => format!("must be {}", format.description()),
        }
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        _ => None,
    }
}
