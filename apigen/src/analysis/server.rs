//! `@server`: what all routes of a block have in common.

use std::time::Duration;

use super::declared::{What, check_name};
use super::header::check_keys;
use super::path::{self, Path};
use crate::diagnostics::{Diagnostic, Faults, did_you_mean, one_of};
use crate::names::{is_reserved, snake};
use crate::syntax::ast::{Name, Pair, Pairs, Value};
use crate::syntax::literal::meaning;
use crate::syntax::span::{Located, Span};

const KEYS: [&str; 7] = ["group", "prefix", "jwt", "middleware", "timeout", "maxBytes", "sse"];

/// What go-zero knows beside, or will be known here later.
const OTHERS: [&str; 9] = [
    "jwtTransition",
    "signature",
    "inner",
    "tags",
    "summary",
    "description",
    "authType",
    "deprecated",
    "operationId",
];

#[derive(Default)]
pub(super) struct Server {
    /// In snake case.
    pub(super) group: Option<String>,
    pub(super) prefix: Path,
    pub(super) jwt: bool,
    pub(super) middleware: Vec<String>,
    pub(super) timeout: Option<Duration>,
    pub(super) max_bytes: Option<u64>,
    pub(super) sse: Option<Span>,
}

pub(super) fn read(pairs: &Pairs, faults: &mut Faults) -> Server {
    check_keys(pairs, faults);
    let mut server = Server::default();
    for item in &pairs.items {
        server.pair(&item.value, faults);
    }
    let timeout = pairs.items.iter().map(|item| &item.value).find(|pair| pair.key.value == "timeout");
    if let (Some(sse), Some(timeout)) = (server.sse, timeout) {
        let title = "a stream of events has no end, and so no timeout";
        let diagnostic = Diagnostic::new(title, timeout.key.span, "expected no `timeout`");
        faults.add(diagnostic.and(sse, "since the answers are streams"));
    }
    server
}

impl Server {
    fn pair(&mut self, pair: &Pair, faults: &mut Faults) {
        let key = &pair.key;
        let words = words(&pair.value);
        match key.value.as_str() {
            "middleware" => self.middleware = middleware(&words, faults),
            known if KEYS.contains(&known) => {
                let [word] = words.as_slice() else {
                    let second = &words[1];
                    let title = format!("`{known}` has one value");
                    faults.add(Diagnostic::new(title, second.span, "expected no second one"));
                    return;
                };
                self.one(known, word, faults);
            }
            other if OTHERS.contains(&other) => {
                let title = format!("`{other}` is not implemented in @server");
                let label = format!("expected {}", one_of(&KEYS));
                faults.add(Diagnostic::new(title, key.span, label));
            }
            other => {
                let title = format!("unknown key `{other}` in @server");
                let diagnostic = Diagnostic::new(title, key.span, format!("expected {}", one_of(&KEYS)));
                faults.add(diagnostic.maybe_help(did_you_mean(other, KEYS)));
            }
        }
    }

    fn one(&mut self, key: &str, word: &Name, faults: &mut Faults) {
        match key {
            "group" => self.group = group(word, faults),
            "prefix" => self.prefix = path::read(word, faults).unwrap_or_default(),
            "jwt" => self.jwt = is_section(word, faults),
            "timeout" => self.timeout = timeout(word, faults),
            "maxBytes" => self.max_bytes = max_bytes(word, faults),
            _ => match word.value.as_str() {
                "true" => self.sse = Some(word.span),
                "false" => {}
                _ => expected("`true` or `false`", word, faults),
            },
        }
    }
}

fn words(value: &Value) -> Vec<Name> {
    match value {
        Value::Words(words) => words.clone(),
        Value::Literal(text) => vec![Located::new(meaning(&text.value), text.span)],
        Value::Line(line) => vec![line.clone()],
    }
}

fn group(word: &Name, faults: &mut Faults) -> Option<String> {
    let group = snake(&word.value);
    let sound = group.starts_with(|first: char| first.is_ascii_lowercase())
        && group.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !sound || is_reserved(&group) {
        let title = format!("`{}` cannot be the name of a module", word.value);
        let diagnostic = Diagnostic::new(title, word.span, "expected a word of letters, digits, `-` and `_`");
        faults.add(diagnostic.help("the group is the module that the logic of its handlers is in"));
        return None;
    }
    Some(group)
}

/// As go-zero has it, the value names a section of the configuration; here it only says that there is a caller.
fn is_section(word: &Name, faults: &mut Faults) -> bool {
    if !word.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        expected("the name of a section, such as `Auth`", word, faults);
    }
    true
}

fn middleware(words: &[Name], faults: &mut Faults) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for word in words {
        check_name(word, What::Middleware, faults);
        if names.contains(&word.value) {
            let title = format!("middleware `{}` stands here twice", word.value);
            faults.add(Diagnostic::new(title, word.span, "the second time"));
        }
        names.push(word.value.clone());
    }
    names
}

fn max_bytes(word: &Name, faults: &mut Faults) -> Option<u64> {
    let bytes = word.value.parse().ok().filter(|bytes| *bytes > 0);
    if bytes.is_none() {
        expected("a number of bytes, such as `65536`", word, faults);
    }
    bytes
}

fn timeout(word: &Name, faults: &mut Faults) -> Option<Duration> {
    let timeout = duration(&word.value);
    match timeout {
        None => expected("a duration, such as `5s` or `1m30s`", word, faults),
        Some(short) if short < Duration::from_millis(1) => expected("at least `1ms`", word, faults),
        Some(_) => {}
    }
    timeout
}

/// As Go writes them: `1h2m3s4ms5µs6ns`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut nanos: u64 = 0;
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let amount: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let unit: u64 = match &rest[..letters] {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            // The sign of micro, and the Greek letter.
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        rest = &rest[letters..];
        nanos = nanos.checked_add(amount.checked_mul(unit)?)?;
    }
    Some(Duration::from_nanos(nanos))
}

fn expected(expected: &str, word: &Name, faults: &mut Faults) {
    let title = format!("expected {expected}, found `{}`", word.value);
    faults.add(Diagnostic::new(title, word.span, format!("expected {expected}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        assert_eq!(duration("1h2m3s"), Some(Duration::from_secs(3723)));
        assert_eq!(duration("4ms5µs6ns"), Some(Duration::from_nanos(4_005_006)));
        for wrong in ["", "5", "s", "5 s", "5x", "99999999999999h", "5s3"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
