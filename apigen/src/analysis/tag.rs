//! What is written in a tag: `json:"page_size,default=20,range=[1:100]"`. What it means for a field is not asked here.

use crate::diagnostics::{Diagnostic, Faults, did_you_mean, one_of};
use crate::model::Source;
use crate::syntax::ast::{Name, Tag};
use crate::syntax::span::Located;

const SOURCES: [(&str, Source); 4] =
    [("json", Source::Json), ("path", Source::Path), ("form", Source::Form), ("header", Source::Header)];

const OPTIONS: [&str; 6] = ["optional", "default", "range", "options", "length", "format"];

/// What go-zero knows beside.
const OTHERS: [(&str, &str); 4] = [
    ("omitempty", "a field that may be left out is `optional`"),
    ("string", "a number is a number in JSON"),
    ("inherit", "it is about configuration, and this is a contract"),
    ("env", "it is about configuration, and this is a contract"),
];

/// One part of a tag, understood as far as that goes without the field.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) source: Located<Source>,
    /// Empty where the field's own name counts.
    pub(super) name: Name,
    pub(super) optional: Option<Name>,
    pub(super) default: Option<Name>,
    pub(super) range: Option<Name>,
    pub(super) options: Option<Name>,
    pub(super) length: Option<Name>,
    pub(super) format: Option<Name>,
}

/// `None` where something is wrong with it.
pub(super) fn read(tag: &Tag, faults: &mut Faults) -> Option<Wire> {
    let parts = parts(tag, faults)?;
    let mut wires = Vec::new();
    for (key, value) in &parts {
        let source = SOURCES.iter().find(|(known, _)| *known == key.value);
        match source {
            Some((_, source)) => wires.push(wire(Located::new(*source, key.span), value, faults)?),
            None => {
                let known = SOURCES.map(|(known, _)| known);
                let label = format!("expected {}", one_of(&known));
                let diagnostic = Diagnostic::new(format!("unknown tag `{}`", key.value), key.span, label);
                faults.add(diagnostic.maybe_help(did_you_mean(&key.value, known)));
                return None;
            }
        }
    }
    let mut wires = wires.into_iter();
    let first = wires.next();
    if let (Some(first), Some(second)) = (&first, wires.next()) {
        let title = "a field comes from one place";
        let diagnostic = Diagnostic::new(title, second.source.span, "expected no second place");
        faults.add(diagnostic.and(first.source.span, "the first one"));
        return None;
    }
    if first.is_none() {
        let label = "expected a tag such as `json:\"name\"`";
        faults.add(Diagnostic::new("this tag is empty", tag.span, label));
    }
    first
}

/// Keys, and what stands between the quotes.
fn parts(tag: &Tag, faults: &mut Faults) -> Option<Vec<(Name, Name)>> {
    let mut parts = Vec::new();
    let text = tag.value.as_str();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        if rest.is_empty() {
            return Some(parts);
        }
        let key = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let value = rest[key..].strip_prefix(":\"").and_then(|value| Some(&value[..value.find('"')?]));
        let (Some(value), 1..) = (value, key) else {
            let span = tag.span.part(at, at + rest.trim_end().len());
            let diagnostic =
                Diagnostic::new("this is not a tag", span, "expected a tag such as `json:\"name\"`");
            faults.add(diagnostic);
            return None;
        };
        let begin = at + key + 2;
        let end = begin + value.len();
        let key = Located::new(rest[..key].to_owned(), tag.span.part(at, at + key));
        parts.push((key, Located::new(value.to_owned(), tag.span.part(begin, end))));
        at = end + 1;
    }
}

fn wire(source: Located<Source>, value: &Name, faults: &mut Faults) -> Option<Wire> {
    let mut words = split(value).into_iter();
    let name = words.next().unwrap_or_else(|| value.clone());
    let mut wire = Wire {
        source,
        name,
        optional: None,
        default: None,
        range: None,
        options: None,
        length: None,
        format: None,
    };
    let mut sound = true;
    for word in words {
        sound &= wire.option(&word, faults);
    }
    sound.then_some(wire)
}

impl Wire {
    fn option(&mut self, word: &Name, faults: &mut Faults) -> bool {
        let (key, value) = match word.value.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (word.value.as_str(), None),
        };
        let place = match key {
            "optional" => &mut self.optional,
            "default" => &mut self.default,
            "range" => &mut self.range,
            "options" => &mut self.options,
            "length" => &mut self.length,
            "format" => &mut self.format,
            _ => {
                unknown(key, word, faults);
                return false;
            }
        };
        if let Some(first) = place {
            let diagnostic =
                Diagnostic::new(format!("`{key}` stands here twice"), word.span, "the second time");
            faults.add(diagnostic.and(first.span, "the first time"));
            return false;
        }
        let value = match (key, value) {
            ("optional", Some(_)) => {
                let diagnostic =
                    Diagnostic::new("`optional` has no value here", word.span, "expected `optional`");
                faults.add(diagnostic.help("what one field means for another one is for the logic to check"));
                return false;
            }
            ("optional", None) => "",
            (_, Some(value)) => value,
            (_, None) => {
                let title = format!("`{key}` needs a value");
                faults.add(Diagnostic::new(title, word.span, format!("expected `{key}=…`")));
                return false;
            }
        };
        let begin = word.value.len() - value.len();
        let span = if key == "optional" { word.span } else { word.span.part(begin, word.value.len()) };
        *place = Some(Located::new(value.to_owned(), span));
        true
    }
}

fn unknown(key: &str, word: &Name, faults: &mut Faults) {
    if let Some((_, why)) = OTHERS.iter().find(|(known, _)| *known == key) {
        let title = format!("`{key}` is not supported in a tag");
        faults.add(
            Diagnostic::new(title, word.span, "go-zero knows it, and this compiler does not").help(*why),
        );
        return;
    }
    let label = format!("expected {}", one_of(&OPTIONS));
    let diagnostic = Diagnostic::new(format!("unknown option `{key}`"), word.span, label);
    faults.add(diagnostic.maybe_help(did_you_mean(key, OPTIONS)));
}

/// At the commas, but not those of a value in brackets: `options=[a,b]`.
fn split(value: &Name) -> Vec<Name> {
    let text = value.value.as_str();
    let mut words = Vec::new();
    let mut start = 0;
    loop {
        let rest = &text[start..];
        let comma = rest.find(',').unwrap_or(rest.len());
        let in_brackets = rest[..comma].find('=').filter(|equals| rest[equals + 1..].starts_with(['[', '(']));
        let length =
            match in_brackets.and_then(|equals| rest[equals..].find([']', ')']).map(|end| equals + end)) {
                Some(closed) => closed + rest[closed..].find(',').unwrap_or(rest.len() - closed),
                None => comma,
            };
        let word = rest[..length].trim();
        let begin = start + rest[..length].len() - rest[..length].trim_start().len();
        words.push(Located::new(word.to_owned(), value.span.part(begin, begin + word.len())));
        start += length + 1;
        if start > text.len() {
            return words;
        }
    }
}
