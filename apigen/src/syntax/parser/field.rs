//! One line of a struct.

use super::Parser;
use crate::diagnostics::Diagnostic;
use crate::syntax::ast::{Field, Tag};
use crate::syntax::span::Located;
use crate::syntax::token::Kind;

impl Parser<'_> {
    pub(super) fn field(&mut self) -> Option<Field> {
        let pointer = self.eat(Kind::Star).is_some();
        let name = self.expect_word("a field")?;
        if pointer || self.at_line_end() || self.kind() == Kind::Raw {
            return Some(Field::Embedded { pointer, name, tag: self.tag()? });
        }
        let mut names = vec![name];
        while self.eat(Kind::Comma).is_some() {
            names.push(self.expect_word("the name of a field")?);
        }
        let ty = self.ty()?;
        Some(Field::Named { names, ty, tag: self.tag()? })
    }

    /// `None` where there is something else.
    fn tag(&mut self) -> Option<Option<Tag>> {
        if self.at_line_end() {
            return Some(None);
        }
        if self.kind() == Kind::Text {
            let diagnostic =
                Diagnostic::new("a tag stands in backquotes", self.peek().span, "these are quotes");
            self.report(diagnostic);
            return None;
        }
        let span = self.expect(Kind::Raw, "a tag in backquotes, or a new line")?;
        let source = self.text_of(span);
        let end = source.len() - usize::from(source.len() > 1 && source.ends_with('`'));
        let inner = span.part(1, end);
        Some(Some(Located::new(self.text_of(inner).to_owned(), inner)))
    }
}
