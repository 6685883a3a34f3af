//! `key: value`, whose value has a form of its own in `info`, `@server` and `@doc`.

use super::Parser;
use crate::diagnostics::Diagnostic;
use crate::syntax::ast::{Name, Pair, Value};
use crate::syntax::span::Span;
use crate::syntax::token::Kind;

impl Parser<'_> {
    /// Any text up to the end of the line, with or without quotes.
    pub(super) fn info_pair(&mut self) -> Option<Pair> {
        let key = self.key()?;
        let value = match self.kind() {
            Kind::Text | Kind::Raw => Value::Literal(self.expect_literal("a text")?),
            _ => Value::Line(self.line()?),
        };
        Some(Pair { key, value })
    }

    pub(super) fn doc_pair(&mut self) -> Option<Pair> {
        let key = self.key()?;
        let value = self.expect_literal("a text in quotes")?;
        Some(Pair { key, value: Value::Literal(value) })
    }

    pub(super) fn server_pair(&mut self) -> Option<Pair> {
        let key = self.key()?;
        if matches!(self.kind(), Kind::Text | Kind::Raw) {
            return Some(Pair { key, value: Value::Literal(self.expect_literal("a text")?) });
        }
        let mut words = vec![self.server_word()?];
        while self.eat(Kind::Comma).is_some() {
            words.push(self.server_word()?);
        }
        Some(Pair { key, value: Value::Words(words) })
    }

    fn key(&mut self) -> Option<Name> {
        let key = self.expect_word("a key")?;
        let colon = self.expect(Kind::Colon, "`:`")?;
        if self.at_line_end() {
            let title = format!("`{}` has no value", key.value);
            self.report(Diagnostic::new(title, key.span.to(colon), "expected a value behind this"));
            return None;
        }
        Some(key)
    }

    /// `AdminOnly`, `/v1/users`, `order-admin`, `5s`
    fn server_word(&mut self) -> Option<Name> {
        let is_part = |kind| {
            matches!(kind, Kind::Word | Kind::Number | Kind::Slash | Kind::Dash | Kind::Dot | Kind::Colon)
        };
        if !is_part(self.kind()) {
            self.unexpected("a word, a path or a number");
            return None;
        }
        let span = self.glued(is_part);
        Some(self.located(span))
    }

    /// The next lexeme, and those that follow without a space between.
    pub(super) fn glued(&mut self, is_part: impl Fn(Kind) -> bool) -> Span {
        let mut span = self.bump();
        while self.peek().glued && is_part(self.kind()) {
            span = span.to(self.bump());
        }
        span
    }

    fn line(&mut self) -> Option<Name> {
        let mut open = 0usize;
        let mut span = self.peek().span.part(0, 0);
        while !self.at_line_end() || open > 0 && !self.peek().fresh && self.kind() != Kind::End {
            match self.kind() {
                Kind::Open(_) => open += 1,
                Kind::Close(_) => open -= 1,
                _ => {}
            }
            if span.end > span.start && !self.peek().comments.is_empty() {
                return self.needs_quotes(span.to(self.peek().span), "there is a comment in it");
            }
            span = span.to(self.bump());
            let rest = &self.text[span.end..];
            if rest.starts_with("//") || rest.starts_with("/*") {
                return self.needs_quotes(span, "what follows would be a comment");
            }
        }
        Some(self.located(span))
    }

    fn needs_quotes<T>(&mut self, span: Span, label: &str) -> Option<T> {
        self.report(Diagnostic::new("expected a text in quotes", span, label));
        None
    }
}
