//! What stands in brackets, a line each; and how to go on after a line that was wrong.

use super::Parser;
use crate::diagnostics::Diagnostic;
use crate::syntax::ast::Block;
use crate::syntax::token::{Bracket, Kind};

impl Parser<'_> {
    /// `read` reads an item, or says what is wrong and returns `None`; then the rest of its line is left out.
    pub(super) fn block<T>(
        &mut self,
        bracket: Bracket,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Block<T>> {
        let opened = self.expect(Kind::Open(bracket), &format!("`{}`", bracket.open()))?;
        let mut items = Vec::new();
        loop {
            match self.kind() {
                Kind::Close(found) => {
                    let end = self.comments();
                    if found != bracket {
                        let title = format!("expected `{}`, found `{}`", bracket.close(), found.close());
                        let diagnostic =
                            Diagnostic::new(title, self.peek().span, "this closes another bracket");
                        self.report(diagnostic.and(opened, "than this one"));
                    }
                    self.bump();
                    return Some(Block { items, end });
                }
                Kind::End => {
                    let title = format!("expected `{}`, found the end of the file", bracket.close());
                    let diagnostic = Diagnostic::new(title, self.peek().span, "expected here");
                    self.report(diagnostic.and(opened, "to close this"));
                    return Some(Block { items, end: Vec::new() });
                }
                _ if self.at_starter() => {
                    let title = format!("expected `{}` before `{}`", bracket.close(), self.next_text());
                    let diagnostic = Diagnostic::new(title, self.peek().span, "a declaration begins here");
                    self.report(diagnostic.and(opened, "and this was not closed"));
                    return Some(Block { items, end: Vec::new() });
                }
                _ => {}
            }
            let start = self.at;
            match read(self) {
                Some(item) => {
                    items.push(item);
                    if !self.at_line_end() {
                        self.unexpected(&format!("a new line or `{}`", bracket.close()));
                        self.skip_line(start, bracket);
                    }
                }
                None => self.skip_line(start, bracket),
            }
        }
    }

    /// To the next line or the end of the block. Brackets that open on the way are left out with what is in them.
    fn skip_line(&mut self, start: usize, bracket: Bracket) {
        loop {
            match self.kind() {
                Kind::End => return,
                _ if self.at > start && self.peek().fresh => return,
                Kind::Close(found) if found == bracket => return,
                Kind::Open(_) => self.skip_brackets(),
                _ => drop(self.bump()),
            }
        }
    }

    pub(super) fn skip_brackets(&mut self) {
        let mut open = 0usize;
        loop {
            match self.kind() {
                Kind::Open(_) => open += 1,
                Kind::Close(_) => open -= 1,
                Kind::End => return,
                _ if self.at_starter() => return,
                _ => {}
            }
            self.bump();
            if open == 0 {
                return;
            }
        }
    }
}
