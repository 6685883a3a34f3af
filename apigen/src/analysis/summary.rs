//! `@doc`: what a route is for, and what it can answer.

use super::header::check_keys;
use crate::diagnostics::{Diagnostic, Faults, did_you_mean, one_of};
use crate::model::Answers;
use crate::syntax::ast::{Doc, Literal, Name, Pair, Value};
use crate::syntax::literal::{is_plain, meaning};
use crate::syntax::span::Located;

const KEYS: [&str; 2] = ["summary", "answers"];

/// What go-zero knows beside.
const OTHERS: [&str; 5] = ["description", "tags", "operationId", "deprecated", "authType"];

#[derive(Default)]
pub(super) struct Summary {
    pub(super) lines: Vec<String>,
    pub(super) answers: Vec<Answers>,
}

pub(super) fn read(doc: Option<&Doc>, faults: &mut Faults) -> Summary {
    let mut summary = Summary::default();
    match doc {
        None => {}
        Some(Doc::Line(text)) => summary.lines = lines(text),
        Some(Doc::Group(pairs)) => {
            check_keys(pairs, faults);
            for item in &pairs.items {
                summary.pair(&item.value, faults);
            }
        }
    }
    summary
}

impl Summary {
    fn pair(&mut self, pair: &Pair, faults: &mut Faults) {
        let Value::Literal(text) = &pair.value else { return };
        match pair.key.value.as_str() {
            "summary" => self.lines = lines(text),
            "answers" => self.answers = answers(text, faults),
            other => {
                let title = if OTHERS.contains(&other) {
                    format!("`{other}` is not implemented in @doc")
                } else {
                    format!("unknown key `{other}` in @doc")
                };
                let diagnostic = Diagnostic::new(title, pair.key.span, format!("expected {}", one_of(&KEYS)));
                faults.add(diagnostic.maybe_help(did_you_mean(other, KEYS)));
            }
        }
    }
}

fn lines(text: &Literal) -> Vec<String> {
    meaning(&text.value).lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// `201, 400 invalid_argument, 409 email_taken`
fn answers(text: &Literal, faults: &mut Faults) -> Vec<Answers> {
    let mut answers: Vec<Answers> = Vec::new();
    for words in words(text) {
        let Some((status, codes)) = words.split_first() else { continue };
        if status.value.is_empty() {
            faults.add(Diagnostic::new("there is no answer here", status.span, "expected a status"));
            continue;
        }
        let Some(number) = number(status, faults) else { continue };
        if answers.iter().any(|answer| answer.status == number) {
            let title = format!("status {number} stands here twice");
            let diagnostic = Diagnostic::new(title, status.span, "the second time");
            faults.add(
                diagnostic.help("all codes of a status stand behind it: `409 out_of_stock price_changed`"),
            );
            continue;
        }
        let codes = self::codes(number, codes, faults);
        answers.push(Answers { status: number, codes });
    }
    answers
}

fn number(status: &Name, faults: &mut Faults) -> Option<u16> {
    let number = status.value.parse().ok().filter(|number| (200..=599).contains(number));
    if number.is_none() || status.value.len() != 3 {
        let title = format!("`{}` is not a status", status.value);
        faults.add(Diagnostic::new(title, status.span, "expected a number from 200 to 599"));
        return None;
    }
    number
}

fn codes(status: u16, words: &[Name], faults: &mut Faults) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for word in words {
        let sound = word.value.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .value
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        let wrong = if !sound {
            Some((
                format!("`{}` is not a code", word.value),
                "expected lower case with underscores: `not_found`",
            ))
        } else if status < 400 {
            Some((
                format!("status {status} is not a problem, and has no code"),
                "expected a comma or the end",
            ))
        } else if codes.contains(&word.value) {
            Some((format!("code `{}` stands here twice", word.value), "the second time"))
        } else {
            None
        };
        match wrong {
            Some((title, label)) => faults.add(Diagnostic::new(title, word.span, label)),
            None => codes.push(word.value.clone()),
        }
    }
    codes
}

/// The words between the commas; an empty one where there are none.
fn words(text: &Literal) -> Vec<Vec<Name>> {
    let meaning = meaning(&text.value);
    let plain = is_plain(&text.value);
    let mut answers = Vec::new();
    // A byte of the meaning is a byte of the text, behind the quote.
    let located = |word: &str, begin: usize| {
        let span = if plain { text.span.part(1 + begin, 1 + begin + word.len()) } else { text.span };
        Located::new(word.to_owned(), span)
    };
    let mut at = 0;
    for answer in meaning.split(',') {
        let mut words = Vec::new();
        let mut begin = at;
        for word in answer.split(' ') {
            if !word.is_empty() {
                words.push(located(word, begin));
            }
            begin += word.len() + 1;
        }
        if words.is_empty() {
            words.push(located("", at + answer.len()));
        }
        answers.push(words);
        at += answer.len() + 1;
    }
    answers
}
