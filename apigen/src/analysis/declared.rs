//! The names that types have, before anything in them is looked at.

use std::collections::HashMap;

use super::imports::Tree;
use super::types;
use crate::diagnostics::{Diagnostic, Faults};
use crate::names::{is_camel, is_reserved, snake};
use crate::syntax::ast::{Block, Decl, Field, Item, Name, TypeDef, TypeKind, Types};
use crate::syntax::span::Span;

/// All types of a contract.
pub(super) struct Declared<'a> {
    /// In the order of the text.
    pub(super) structs: Vec<Declaration<'a>>,
    by_name: HashMap<&'a str, Span>,
}

pub(super) struct Declaration<'a> {
    pub(super) name: &'a Name,
    pub(super) doc: Vec<String>,
    pub(super) fields: &'a Block<Item<Field>>,
}

impl<'a> Declared<'a> {
    pub(super) fn of(tree: &'a Tree, faults: &mut Faults) -> Declared<'a> {
        let mut declared = Declared { structs: Vec::new(), by_name: HashMap::new() };
        for decl in tree.iter().flat_map(|file| &file.decls) {
            if let Decl::Types(item) = decl {
                for (def, doc) in Types::defs(item) {
                    declared.declare(def, doc, faults);
                }
            }
        }
        declared
    }

    /// Where a struct of that name was declared.
    pub(super) fn place(&self, name: &str) -> Option<Span> {
        self.by_name.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().copied()
    }

    fn declare(&mut self, def: &'a TypeDef, doc: Vec<String>, faults: &mut Faults) {
        let TypeDef { name, ty } = def;
        if let Some(first) = self.by_name.get(name.value.as_str()) {
            let title = format!("type `{}` is declared twice", name.value);
            faults.add(Diagnostic::new(title, name.span, "the second time").and(*first, "the first time"));
            return;
        }
        // It is known even if it is wrong, so that those who use it are not wrong as well.
        self.by_name.insert(&name.value, name.span);
        check_name(name, What::Type, faults);
        match &ty.value {
            TypeKind::Struct(fields) => self.structs.push(Declaration { name, doc, fields }),
            _ => {
                let title = format!("`{}` is not a struct", name.value);
                let diagnostic = Diagnostic::new(title, ty.span, "expected `{` and fields");
                faults.add(diagnostic.help("a type has no other name; use the type itself"));
            }
        }
    }
}

/// What a name is the name of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Type,
    Field,
    Handler,
    Middleware,
}

/// The names of what becomes types, fields and functions.
pub(super) fn check_name(name: &Name, what: What, faults: &mut Faults) {
    let in_rust = if what == What::Type { name.value.clone() } else { snake(&name.value) };
    if types::is_builtin(&name.value) {
        let title = format!("`{}` is a type of the language, and not a name", name.value);
        faults.add(Diagnostic::new(title, name.span, format!("expected the name of {}", what.describe())));
    } else if !is_camel(&name.value) {
        let title = format!("`{}` is not in camel case", name.value);
        let label = "expected a capital letter, then letters and digits";
        let camel = camel(&name.value);
        let help = is_camel(&camel).then(|| format!("write `{camel}`"));
        faults.add(Diagnostic::new(title, name.span, label).maybe_help(help));
    } else if is_reserved(&in_rust) {
        let title = format!("`{in_rust}` is a keyword that cannot be a name in Rust");
        let label = format!("expected another name for {}", what.describe());
        faults.add(Diagnostic::new(title, name.span, label));
    }
}

impl What {
    fn describe(self) -> &'static str {
        match self {
            What::Type => "a type",
            What::Field => "a field",
            What::Handler => "a handler",
            What::Middleware => "a middleware",
        }
    }
}

fn camel(name: &str) -> String {
    let words = name.split(['_', '-']).map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}
