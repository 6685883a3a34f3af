//! Intervals: `[1:5]`, `(1:5)`, `[1:5)`, `[1:]`. A round bracket leaves its end out.

use std::fmt::Display;
use std::str::FromStr;

use super::{item, misplaced};
use crate::diagnostics::{Diagnostic, Faults};
use crate::model::{Edge, Rule, Type};
use crate::syntax::ast::Name;
use crate::syntax::span::Located;

struct Interval {
    from: End,
    to: End,
}

struct End {
    /// Empty where it is open.
    text: Name,
    included: bool,
}

pub(super) fn range(text: &Name, ty: &Type, faults: &mut Faults) -> Option<Rule> {
    match *ty {
        Type::Integer { bits, signed } => {
            let (least, most) = limits(bits, signed);
            let (from, to) = integers(text, least, most, faults)?;
            Some(Rule::Integer { from, to })
        }
        Type::Float { .. } => numbers(text, faults),
        _ => {
            misplaced("range", "numbers", text, ty, faults);
            None
        }
    }
}

pub(super) fn length(text: &Name, ty: &Type, faults: &mut Faults) -> Option<Rule> {
    if !matches!(ty, Type::Text | Type::List(_) | Type::Map(_)) {
        misplaced("length", "strings, lists and maps", text, item(ty), faults);
        return None;
    }
    let (from, to) = integers(text, 0, i128::from(u32::MAX), faults)?;
    let length = |length: i128| usize::try_from(length).unwrap_or_default();
    Some(Rule::Length { from: from.map_or(0, length), to: to.map(length) })
}

/// What an integer of the language can hold.
pub(super) fn limits(bits: u8, signed: bool) -> (i128, i128) {
    let values = 1i128 << bits;
    if signed { (-values / 2, values / 2 - 1) } else { (0, values - 1) }
}

/// Both ends are included in what is returned.
fn integers(
    text: &Name,
    least: i128,
    most: i128,
    faults: &mut Faults,
) -> Option<(Option<i128>, Option<i128>)> {
    let interval = read(text, faults)?;
    let from = integer(&interval.from, least, most, faults);
    let to = integer(&interval.to, least, most, faults);
    let (from, to) = (from?, to?);
    let from = from.map(|from| if interval.from.included { from } else { from + 1 });
    let to = to.map(|to| if interval.to.included { to } else { to - 1 });
    if from.unwrap_or(least) > to.unwrap_or(most) {
        empty(text, faults);
        return None;
    }
    Some((from, to))
}

fn numbers(text: &Name, faults: &mut Faults) -> Option<Rule> {
    let interval = read(text, faults)?;
    let from = number(&interval.from, faults);
    let to = number(&interval.to, faults);
    let (from, to) = (from?, to?);
    if let (Edge::Included(low) | Edge::Excluded(low), Edge::Included(high) | Edge::Excluded(high)) =
        (from, to)
    {
        let both = interval.from.included && interval.to.included;
        if low > high || low == high && !both {
            empty(text, faults);
            return None;
        }
    }
    Some(Rule::Number { from, to })
}

fn read(text: &Name, faults: &mut Faults) -> Option<Interval> {
    let included = |letter: Option<char>| match letter {
        Some('[' | ']') => Some(true),
        Some('(' | ')') => Some(false),
        _ => None,
    };
    let value = text.value.as_str();
    let from = included(value.chars().next().filter(|first| "[(".contains(*first)));
    let to = included(value.chars().next_back().filter(|last| "])".contains(*last)));
    let inner = value.get(1..value.len().saturating_sub(1)).and_then(|inner| inner.split_once(':'));
    let (Some(from_included), Some(to_included), Some((low, high))) = (from, to, inner) else {
        let title = format!("`{value}` is not an interval");
        let diagnostic = Diagnostic::new(title, text.span, "expected an interval such as `[1:5]` or `[1:)`");
        faults.add(diagnostic.help("square brackets include the end, round ones do not"));
        return None;
    };
    if low.trim().is_empty() && high.trim().is_empty() {
        faults.add(Diagnostic::new("this interval has no end", text.span, "expected at least one number"));
        return None;
    }
    let end = |start: usize, end: &str, included| End {
        text: Located::new(end.trim().to_owned(), text.span.part(start, start + end.len())),
        included,
    };
    Some(Interval { from: end(1, low, from_included), to: end(2 + low.len(), high, to_included) })
}

/// `None` where it is wrong; then `None` where it is open.
fn integer(end: &End, least: i128, most: i128, faults: &mut Faults) -> Option<Option<i128>> {
    let Some(value) = parse::<i128>(end, "an integer", faults)? else { return Some(None) };
    if !(least..=most).contains(&value) {
        outside(value, least, most, &end.text, faults);
        return None;
    }
    Some(Some(value))
}

fn number(end: &End, faults: &mut Faults) -> Option<Edge> {
    match parse::<f64>(end, "a number", faults)? {
        None => Some(Edge::Open),
        Some(value) if !value.is_finite() => {
            faults.add(Diagnostic::new(
                "this is no number of JSON",
                end.text.span,
                "expected a finite number",
            ));
            None
        }
        Some(value) if end.included => Some(Edge::Included(value)),
        Some(value) => Some(Edge::Excluded(value)),
    }
}

fn parse<T: FromStr>(end: &End, what: &str, faults: &mut Faults) -> Option<Option<T>> {
    if end.text.value.is_empty() {
        return Some(None);
    }
    let value = end.text.value.parse().ok();
    if value.is_none() {
        let title = format!("`{}` is not {what}", end.text.value);
        faults.add(Diagnostic::new(title, end.text.span, format!("expected {what}")));
    }
    value.map(Some)
}

pub(super) fn outside(value: impl Display, least: i128, most: i128, at: &Name, faults: &mut Faults) {
    let title = format!("{value} is out of bounds");
    faults.add(Diagnostic::new(title, at.span, format!("expected {least} to {most}")));
}

fn empty(text: &Name, faults: &mut Faults) {
    let title = format!("there is nothing in `{}`", text.value);
    faults.add(Diagnostic::new(title, text.span, "no value would be right"));
}
