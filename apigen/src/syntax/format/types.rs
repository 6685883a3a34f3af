//! Structs, their fields in columns, and the types of these.

use super::printer::Printer;
use crate::syntax::ast::{Field, Name, Tag, Type, TypeDef, TypeKind};
use crate::syntax::token::Bracket;

impl Printer {
    pub(super) fn type_def(&mut self, def: &TypeDef) {
        self.push(&def.name.value);
        self.push(" ");
        self.ty(&def.ty);
    }

    pub(super) fn ty(&mut self, ty: &Type) {
        match &ty.value {
            TypeKind::Name(name) => self.push(name),
            TypeKind::Interface => self.push("interface{}"),
            TypeKind::Pointer(to) => {
                self.push("*");
                self.ty(to);
            }
            TypeKind::List(of) => {
                self.push("[]");
                self.ty(of);
            }
            TypeKind::Map(key, of) => {
                self.push("map[");
                self.ty(key);
                self.push("]");
                self.ty(of);
            }
            TypeKind::Struct(fields) => self.table(Bracket::Curly, fields, cells, Printer::field),
        }
    }

    /// One that has no columns.
    fn field(&mut self, field: &Field) {
        let tag = match field {
            Field::Named { names: all, ty, tag } => {
                self.push(&names(all));
                self.push(" ");
                self.ty(ty);
                tag
            }
            Field::Embedded { pointer, name, tag } => {
                self.push(if *pointer { "*" } else { "" });
                self.push(&name.value);
                tag
            }
        };
        if let Some(tag) = tag {
            self.push(" ");
            self.push(&quoted(tag));
        }
    }
}

fn cells(field: &Field) -> Option<Vec<String>> {
    let Field::Named { names: all, ty, tag } = field else { return None };
    if takes_lines(ty) {
        return None;
    }
    let mut printer = Printer::new();
    printer.ty(ty);
    let mut cells = vec![names(all), printer.into_text()];
    cells.extend(tag.as_ref().map(quoted));
    Some(cells)
}

fn takes_lines(ty: &Type) -> bool {
    match &ty.value {
        TypeKind::Name(_) | TypeKind::Interface => false,
        TypeKind::Pointer(inner) | TypeKind::List(inner) => takes_lines(inner),
        TypeKind::Map(key, inner) => takes_lines(key) || takes_lines(inner),
        TypeKind::Struct(fields) => !fields.items.is_empty() || !fields.end.is_empty(),
    }
}

fn names(names: &[Name]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
    names.join(", ")
}

fn quoted(tag: &Tag) -> String {
    format!("`{}`", tag.value)
}
