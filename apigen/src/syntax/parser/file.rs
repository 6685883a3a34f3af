//! The declarations of a file, and the short ones of them: `syntax`, `info`, `import`.

use super::Parser;
use super::cursor::STARTERS;
use crate::diagnostics::one_of;
use crate::syntax::ast::{Decl, File, Import, Info, Literal};
use crate::syntax::span::Located;
use crate::syntax::token::{Bracket, Kind};

impl Parser<'_> {
    pub(super) fn file(mut self) -> File {
        let mut decls = Vec::new();
        while self.kind() != Kind::End {
            let start = self.at;
            match self.decl() {
                Some(decl) => decls.push(decl),
                None => self.skip_to_decl(start),
            }
        }
        let mut end = std::mem::take(&mut self.midst);
        end.extend(self.comments());
        File { decls, end }
    }

    fn decl(&mut self) -> Option<Decl> {
        match (self.kind(), self.next_text()) {
            (Kind::Word, "syntax") => self.item(Self::syntax).map(Decl::Syntax),
            (Kind::Word, "info") => self.item(Self::info).map(Decl::Info),
            (Kind::Word, "import") => self.item(Self::import).map(Decl::Import),
            (Kind::Word, "type") => self.item(Self::types).map(Decl::Types),
            (Kind::Word, "service") | (Kind::At, "@server") => self.service().map(Decl::Service),
            _ => {
                self.unexpected_word("a declaration", &one_of(&STARTERS), &STARTERS);
                None
            }
        }
    }

    /// To something that is one, or is likely meant to be: a word at the very start of a line.
    fn skip_to_decl(&mut self, start: usize) {
        loop {
            let at_margin = self.text[..self.peek().span.start].ends_with('\n');
            match self.kind() {
                Kind::End => return,
                _ if self.at > start && self.at_starter() => return,
                Kind::Word | Kind::At if self.at > start && at_margin => return,
                Kind::Open(_) => self.skip_brackets(),
                _ => drop(self.bump()),
            }
        }
    }

    fn syntax(&mut self) -> Option<Literal> {
        self.bump();
        self.expect(Kind::Equals, "`=`")?;
        self.expect_literal("a version such as `\"v1\"`")
    }

    fn info(&mut self) -> Option<Info> {
        let keyword = Located::new((), self.bump());
        let pairs = self.block(Bracket::Round, |parser| parser.item(Self::info_pair))?;
        Some(Info { keyword, pairs })
    }

    fn import(&mut self) -> Option<Import> {
        self.bump();
        if self.kind() == Kind::Open(Bracket::Round) {
            let group = self.block(Bracket::Round, |parser| {
                parser.item(|parser| {
                    if parser.kind() == Kind::Text {
                        let span = parser.bump();
                        return Some(parser.located(span));
                    }
                    parser.unexpected("the path of a file in quotes");
                    None
                })
            });
            return group.map(Import::Group);
        }
        self.expect_literal("the path of a file in quotes, or `(`").map(Import::One)
    }
}
