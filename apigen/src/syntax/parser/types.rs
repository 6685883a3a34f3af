//! `type` declarations and the types in them.

use super::Parser;
use crate::diagnostics::Diagnostic;
use crate::syntax::ast::{Type, TypeDef, TypeKind, Types};
use crate::syntax::span::{Located, Span};
use crate::syntax::token::{Bracket, Kind};

/// How deep types can stand in each other. No contract that somebody can read comes near it, and it keeps the compiler
/// from running out of stack.
const DEEPEST: usize = 32;

impl Parser<'_> {
    pub(super) fn types(&mut self) -> Option<Types> {
        self.bump();
        if self.kind() == Kind::Open(Bracket::Round) {
            let group = self.block(Bracket::Round, |parser| parser.item(Self::type_def));
            return group.map(Types::Group);
        }
        self.type_def().map(Types::One)
    }

    fn type_def(&mut self) -> Option<TypeDef> {
        let name = self.expect_word("the name of a type")?;
        if self.kind() == Kind::Equals {
            let diagnostic = Diagnostic::new("a type has no other name", self.peek().span, "expected `{`");
            self.report(diagnostic);
            return None;
        }
        let ty = self.ty()?;
        Some(TypeDef { name, ty })
    }

    pub(super) fn ty(&mut self) -> Option<Type> {
        if self.depth == DEEPEST {
            let title = format!("types stand in each other more than {DEEPEST} deep");
            let diagnostic = Diagnostic::new(title, self.peek().span, "too deep");
            self.report(diagnostic.help("give one of the inner types a name"));
            return None;
        }
        self.depth += 1;
        let ty = self.any_type();
        self.depth -= 1;
        ty
    }

    fn any_type(&mut self) -> Option<Type> {
        let start = self.peek().span;
        let kind = match self.kind() {
            Kind::Star => {
                self.bump();
                TypeKind::Pointer(Box::new(self.ty()?))
            }
            Kind::Open(Bracket::Square) => self.list()?,
            Kind::Open(Bracket::Curly) => return self.structure(start),
            Kind::Word if self.is_word("map") => self.map()?,
            Kind::Word if self.is_word("interface") => self.interface()?,
            Kind::Word if self.is_word("struct") => {
                let diagnostic = Diagnostic::new("`struct` is not written here", start, "expected `{`");
                self.report(diagnostic);
                self.bump();
                return self.structure(start);
            }
            Kind::Word => {
                let name = self.bump();
                if self.kind() == Kind::Dot && self.peek().glued {
                    let diagnostic = Diagnostic::new("a type of another package", name, "not known here");
                    self.report(diagnostic.help("a contract has its own types; a time is a `string`"));
                    return None;
                }
                TypeKind::Name(self.text_of(name).to_owned())
            }
            _ => {
                self.unexpected("a type");
                return None;
            }
        };
        Some(Located::new(kind, start.to(self.before())))
    }

    fn structure(&mut self, start: Span) -> Option<Type> {
        let fields = self.block(Bracket::Curly, |parser| parser.item(Self::field))?;
        Some(Located::new(TypeKind::Struct(fields), start))
    }

    fn list(&mut self) -> Option<TypeKind> {
        let opened = self.bump();
        if self.eat(Kind::Close(Bracket::Square)).is_none() {
            let size = self.bump();
            let diagnostic = Diagnostic::new("a list has no fixed length", opened.to(size), "expected `[]`");
            self.report(diagnostic.help("`length=[4:4]` in the field's tag asks for four items"));
            self.expect(Kind::Close(Bracket::Square), "`]`")?;
        }
        Some(TypeKind::List(Box::new(self.ty()?)))
    }

    fn map(&mut self) -> Option<TypeKind> {
        self.bump();
        self.expect(Kind::Open(Bracket::Square), "`[` and the type of the keys")?;
        let key = self.ty()?;
        self.expect(Kind::Close(Bracket::Square), "`]`")?;
        Some(TypeKind::Map(Box::new(key), Box::new(self.ty()?)))
    }

    fn interface(&mut self) -> Option<TypeKind> {
        self.bump();
        if self.kind() != Kind::Open(Bracket::Curly) {
            self.unexpected("`{}`");
            return None;
        }
        if self.second().kind != Kind::Close(Bracket::Curly) {
            let diagnostic =
                Diagnostic::new("an interface has no methods here", self.second().span, "expected `}`");
            self.report(diagnostic);
        }
        self.skip_brackets();
        Some(TypeKind::Interface)
    }

    /// The lexeme that was taken last.
    fn before(&self) -> Span {
        self.lexemes[self.at.saturating_sub(1)].span
    }
}
