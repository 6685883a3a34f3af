//! The line of a route: method, path, request, answer.

use super::Parser;
use crate::diagnostics::{Diagnostic, one_of};
use crate::syntax::ast::{Endpoint, Name, Type};
use crate::syntax::token::{Bracket, Kind};

const METHODS: [&str; 9] = ["get", "head", "post", "put", "patch", "delete", "connect", "options", "trace"];

impl Parser<'_> {
    pub(super) fn endpoint(&mut self) -> Option<Endpoint> {
        if self.kind() != Kind::Word || !METHODS.contains(&self.next_text()) {
            self.unexpected_word("a method", &one_of(&METHODS), &METHODS);
            return None;
        }
        let method = self.bump();
        let method = self.located(method);
        let path = self.path()?;
        let request = if self.at_line_end() { None } else { self.request()? };
        let returns = if self.at_line_end() { None } else { self.returns()? };
        self.eat(Kind::Semicolon);
        Some(Endpoint { method, path, request, returns })
    }

    fn path(&mut self) -> Option<Name> {
        if self.kind() != Kind::Slash || self.peek().fresh {
            self.unexpected("a path that begins with `/`");
            return None;
        }
        let is_part = |kind| {
            matches!(kind, Kind::Slash | Kind::Word | Kind::Number | Kind::Dash | Kind::Dot | Kind::Colon)
        };
        let path = self.glued(is_part);
        if self.peek().glued && self.kind() == Kind::Open(Bracket::Curly) {
            let diagnostic =
                Diagnostic::new("a parameter of a path begins with `:`", self.peek().span, "expected `:`");
            self.report(diagnostic.help("`/orders/:id`"));
            return None;
        }
        Some(self.located(path))
    }

    /// `None` where something is wrong.
    fn request(&mut self) -> Option<Option<Type>> {
        match self.kind() {
            Kind::Open(Bracket::Round) => self.in_brackets().map(Some),
            Kind::Semicolon => Some(None),
            Kind::Word if self.is_word("returns") => Some(None),
            _ => {
                let expected = "a request in `()`, `returns`, or a new line";
                self.unexpected_word(expected, expected, &["returns"]);
                None
            }
        }
    }

    fn returns(&mut self) -> Option<Option<Type>> {
        match self.kind() {
            Kind::Semicolon => Some(None),
            Kind::Word if self.is_word("returns") => {
                self.bump();
                self.in_brackets().map(Some)
            }
            _ => {
                self.unexpected_word("`returns`, or a new line", "`returns`, or a new line", &["returns"]);
                None
            }
        }
    }

    fn in_brackets(&mut self) -> Option<Type> {
        self.expect(Kind::Open(Bracket::Round), "`(` and a type")?;
        let ty = self.ty()?;
        self.expect(Kind::Close(Bracket::Round), "`)`")?;
        Some(ty)
    }
}
