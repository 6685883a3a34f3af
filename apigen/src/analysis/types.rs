//! From a written type to what it means.

use super::structs::Lowering;
use crate::diagnostics::{Diagnostic, did_you_mean};
use crate::model;
use crate::syntax::ast::{Name, Type, TypeKind};
use crate::syntax::span::Span;

/// What the language knows by itself.
const BUILTIN: [(&str, model::Type); 14] = [
    ("bool", model::Type::Bool),
    ("string", model::Type::Text),
    ("int", model::Type::Integer { bits: 64, signed: true }),
    ("int8", model::Type::Integer { bits: 8, signed: true }),
    ("int16", model::Type::Integer { bits: 16, signed: true }),
    ("int32", model::Type::Integer { bits: 32, signed: true }),
    ("int64", model::Type::Integer { bits: 64, signed: true }),
    ("uint", model::Type::Integer { bits: 64, signed: false }),
    ("uint8", model::Type::Integer { bits: 8, signed: false }),
    ("uint16", model::Type::Integer { bits: 16, signed: false }),
    ("uint32", model::Type::Integer { bits: 32, signed: false }),
    ("uint64", model::Type::Integer { bits: 64, signed: false }),
    ("float32", model::Type::Float { bits: 32 }),
    ("float64", model::Type::Float { bits: 64 }),
];

/// What go-zero knows beside, and what to write instead.
const OTHERS: [(&str, &str); 7] = [
    ("any", "`interface{}` is whatever JSON there is"),
    ("byte", "a number is a `uint8`, and bytes are a `string` in base64"),
    ("rune", "a number is an `int32`, and a letter is a `string`"),
    ("complex64", "JSON has no complex numbers"),
    ("complex128", "JSON has no complex numbers"),
    ("uintptr", "there are no pointers on the wire"),
    ("error", "errors are not a part of an answer: they are problems of their own"),
];

pub(super) fn is_builtin(name: &str) -> bool {
    BUILTIN.iter().any(|(known, _)| *known == name) || OTHERS.iter().any(|(known, _)| *known == name)
}

/// Whether a parameter or a header can be one.
pub(super) fn is_scalar(ty: &model::Type) -> bool {
    use model::Type::{Bool, Float, Integer, Text};
    matches!(ty, Bool | Text | Integer { .. } | Float { .. })
}

/// As in a message.
pub(super) fn describe(ty: &model::Type) -> &'static str {
    match ty {
        model::Type::Bool => "a bool",
        model::Type::Text => "a string",
        model::Type::Integer { .. } => "an integer",
        model::Type::Float { .. } => "a float",
        model::Type::Any => "an interface{}",
        model::Type::List(_) => "a list",
        model::Type::Map(_) => "a map",
        model::Type::Nullable(_) => "a pointer",
        model::Type::Struct(_) => "a struct",
    }
}

impl Lowering<'_, '_> {
    /// `None` where something is wrong with it. `owner` is the struct and the field that a struct without a name would
    /// be called after.
    pub(super) fn ty(&mut self, ty: &Type, owner: Option<(&str, &Name)>) -> Option<model::Type> {
        match &ty.value {
            TypeKind::Name(name) => self.named(name, ty.span),
            TypeKind::Interface => Some(model::Type::Any),
            TypeKind::Pointer(to) => {
                let inner = self.ty(to, owner)?;
                if matches!(to.value, TypeKind::Pointer(_)) {
                    self.faults.add(Diagnostic::new("a pointer to a pointer", ty.span, "expected one `*`"));
                    return None;
                }
                Some(model::Type::Nullable(Box::new(inner)))
            }
            TypeKind::List(of) => Some(model::Type::List(Box::new(self.ty(of, owner)?))),
            TypeKind::Map(key, of) => {
                let of = self.ty(of, owner);
                if key.value != TypeKind::Name("string".to_owned()) {
                    let title = "the keys of a map are strings, as they are in JSON";
                    self.faults.add(Diagnostic::new(title, key.span, "expected `string`"));
                    return None;
                }
                Some(model::Type::Map(Box::new(of?)))
            }
            TypeKind::Struct(fields) => {
                let Some((owner, field)) = owner else {
                    let title = "this struct has no name";
                    self.faults.add(Diagnostic::new(title, ty.span, "expected the name of a type"));
                    return None;
                };
                self.nested(owner, field, fields, ty.span).map(model::Type::Struct)
            }
        }
    }

    fn named(&mut self, name: &str, span: Span) -> Option<model::Type> {
        if let Some((_, ty)) = BUILTIN.iter().find(|(known, _)| *known == name) {
            return Some(ty.clone());
        }
        if self.declared.place(name).is_some() {
            return Some(model::Type::Struct(name.to_owned()));
        }
        if let Some((_, instead)) = OTHERS.iter().find(|(known, _)| *known == name) {
            let title = format!("`{name}` is not supported");
            self.faults.add(Diagnostic::new(title, span, "expected another type").help(*instead));
            return None;
        }
        let known = BUILTIN.iter().map(|(known, _)| *known).chain(self.declared.names());
        let help = did_you_mean(name, known);
        let diagnostic = Diagnostic::new(format!("unknown type `{name}`"), span, "no type has this name");
        self.faults.add(diagnostic.maybe_help(help));
        None
    }
}
