//! Looking at lexemes, taking them, and saying what was expected instead.

use super::Parser;
use crate::diagnostics::{Diagnostic, did_you_mean};
use crate::syntax::ast::{Comment, Item, Literal, Name};
use crate::syntax::lexeme::Lexeme;
use crate::syntax::literal;
use crate::syntax::span::{Located, Span};
use crate::syntax::token::Kind;

/// The words that a declaration begins with.
pub(super) const STARTERS: [&str; 6] = ["syntax", "info", "import", "type", "@server", "service"];

impl Parser<'_> {
    pub(super) fn peek(&self) -> &Lexeme {
        &self.lexemes[self.at]
    }

    pub(super) fn kind(&self) -> Kind {
        self.peek().kind
    }

    /// The lexeme after the next one.
    pub(super) fn second(&self) -> &Lexeme {
        &self.lexemes[(self.at + 1).min(self.lexemes.len() - 1)]
    }

    pub(super) fn text_of(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    pub(super) fn next_text(&self) -> &str {
        self.text_of(self.peek().span)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind() == Kind::Word && self.next_text() == word
    }

    pub(super) fn is_at(&self, word: &str) -> bool {
        self.kind() == Kind::At && self.next_text() == word
    }

    /// Whether the rest of the line holds nothing but, perhaps, the end of the block.
    pub(super) fn at_line_end(&self) -> bool {
        self.peek().fresh || matches!(self.kind(), Kind::Close(_) | Kind::End)
    }

    /// Takes the next lexeme; the end stays.
    pub(super) fn bump(&mut self) -> Span {
        let lexeme = &mut self.lexemes[self.at];
        let comments = std::mem::take(&mut lexeme.comments);
        let span = lexeme.span;
        self.midst.extend(comments.into_iter().map(|found| Comment { blank_before: false, ..found.comment }));
        if self.at + 1 < self.lexemes.len() {
            self.at += 1;
        }
        span
    }

    pub(super) fn eat(&mut self, kind: Kind) -> Option<Span> {
        if self.kind() == kind { Some(self.bump()) } else { None }
    }

    pub(super) fn expect(&mut self, kind: Kind, expected: &str) -> Option<Span> {
        let taken = self.eat(kind);
        if taken.is_none() {
            self.unexpected(expected);
        }
        taken
    }

    pub(super) fn expect_word(&mut self, expected: &str) -> Option<Name> {
        let span = self.expect(Kind::Word, expected)?;
        Some(self.located(span))
    }

    /// A quoted text on this line.
    pub(super) fn expect_literal(&mut self, expected: &str) -> Option<Literal> {
        if !matches!(self.kind(), Kind::Text | Kind::Raw) || self.peek().fresh {
            self.unexpected(expected);
            return None;
        }
        let span = self.bump();
        if let Some((start, length)) = literal::unknown_escape(self.text_of(span)) {
            let escape = span.part(start, start + length);
            let diagnostic =
                Diagnostic::new("unknown escape", escape, "there are `\\\"`, `\\\\`, `\\n` and `\\t`");
            self.report(diagnostic);
        }
        Some(self.located(span))
    }

    pub(super) fn located(&self, span: Span) -> Name {
        Located::new(self.text_of(span).to_owned(), span)
    }

    /// Reads something with the comments around it.
    pub(super) fn item<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Item<T>> {
        let around = std::mem::take(&mut self.midst);
        let mut blank_before = self.peek().blank_before;
        let mut above = self.comments();
        let value = read(self);
        let mut midst = std::mem::replace(&mut self.midst, around);
        if let Some(first) = midst.first_mut() {
            // It stands between the item and what was above it now.
            first.blank_before = std::mem::take(&mut blank_before);
        }
        above.extend(midst);
        let behind = self.comments_behind();
        Some(Item { above, blank_before, value: value?, behind })
    }

    /// Those before the next lexeme.
    pub(super) fn comments(&mut self) -> Vec<Comment> {
        let comments = std::mem::take(&mut self.lexemes[self.at].comments);
        comments.into_iter().map(|found| found.comment).collect()
    }

    /// Those on the line of the lexeme before.
    fn comments_behind(&mut self) -> Vec<Comment> {
        let comments = &mut self.lexemes[self.at].comments;
        let count = comments.iter().take_while(|found| !found.fresh).count();
        comments.drain(..count).map(|found| found.comment).collect()
    }

    /// The next lexeme is not what was expected.
    pub(super) fn unexpected(&mut self, expected: &str) {
        self.unexpected_word(expected, expected, &[]);
    }

    /// `known` are the words that could have stood there; `expected` says it shortly, and `choice` in full.
    pub(super) fn unexpected_word(&mut self, expected: &str, choice: &str, known: &[&str]) {
        let title = format!("expected {expected}, found {}", self.found());
        let diagnostic = Diagnostic::new(title, self.peek().span, format!("expected {choice}"));
        let help = did_you_mean(self.next_text(), known.iter().copied());
        self.report(diagnostic.maybe_help(help));
    }

    /// Once for each place: what comes second there is a consequence.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        let last = self.faults.last_span();
        if last.is_none() || last.map(|last| last.start) != diagnostic.span().map(|span| span.start) {
            self.faults.add(diagnostic);
        }
    }

    fn found(&self) -> String {
        /// What fits on a line with the rest of the message.
        const LONGEST: usize = 40;
        let text = self.next_text();
        match self.kind() {
            Kind::End => "the end of the file".to_owned(),
            Kind::Text => "a text".to_owned(),
            Kind::Raw => "a text in backquotes".to_owned(),
            _ if text.len() <= LONGEST => format!("`{text}`"),
            _ => "a long word".to_owned(),
        }
    }

    /// Whether a declaration begins here. A look at what follows keeps a field or a key of that name from being taken
    /// for one.
    pub(super) fn at_starter(&self) -> bool {
        let next = self.second().kind;
        self.peek().fresh
            && match (self.kind(), self.next_text()) {
                (Kind::At, "@server") => true,
                (Kind::Word, "syntax") => next == Kind::Equals,
                (Kind::Word, "info") => matches!(next, Kind::Open(_)),
                (Kind::Word, "import") => matches!(next, Kind::Text | Kind::Open(_)),
                (Kind::Word, "type") => {
                    let third = self.lexemes.get(self.at + 2).map(|third| third.kind);
                    matches!(next, Kind::Open(_))
                        || next == Kind::Word
                            && matches!(third, Some(Kind::Open(_) | Kind::Word | Kind::Equals))
                }
                (Kind::Word, "service") => next == Kind::Word,
                _ => false,
            }
    }
}
