//! One field: what its type and its tag mean together.

use super::structs::Lowering;
use super::tag::{self, Wire};
use super::{rules, types};
use crate::diagnostics::{Diagnostic, Faults};
use crate::model::{self, Presence, Source};
use crate::syntax::ast::{Name, Tag, Type};
use crate::syntax::span::{Located, Span};

/// A field on its way to the model, with the places that later steps point at.
#[derive(Clone)]
pub(super) struct Field {
    pub(super) model: model::Field,
    pub(super) at: Span,
    pub(super) type_at: Span,
    /// Where it is said where it comes from.
    pub(super) source_at: Span,
    pub(super) wire_at: Span,
    /// Its type is a `*T`.
    pub(super) pointer: bool,
    /// There was a fault in it, so that nothing can be concluded from it.
    pub(super) broken: bool,
    /// Its name on the wire is its own.
    unnamed: bool,
}

impl Field {
    /// The same under another name.
    pub(super) fn called(&self, name: &Name) -> Field {
        let mut field = self.clone();
        field.at = name.span;
        field.model.name.clone_from(&name.value);
        if field.unnamed {
            field.model.wire.clone_from(&name.value);
            field.wire_at = name.span;
        }
        field
    }
}

impl Lowering<'_, '_> {
    pub(super) fn field(
        &mut self,
        owner: &str,
        name: &Name,
        ty: &Type,
        tag: Option<&Tag>,
        doc: Vec<String>,
    ) -> Field {
        let lowered = self.ty(ty, Some((owner, name)));
        let wire = match tag {
            Some(tag) => tag::read(tag, self.faults),
            None => Some(untagged(name)),
        };
        let mut field = Field {
            model: model::Field {
                name: name.value.clone(),
                doc,
                source: Source::Json,
                wire: name.value.clone(),
                ty: model::Type::Any,
                presence: Presence::Required,
                rules: Vec::new(),
                boxed: false,
            },
            at: name.span,
            type_at: ty.span,
            source_at: name.span,
            wire_at: name.span,
            pointer: false,
            broken: true,
            unnamed: wire.as_ref().is_some_and(|wire| wire.name.value.is_empty()),
        };
        let Some(wire) = wire else { return field };
        if !field.unnamed {
            field.model.wire.clone_from(&wire.name.value);
            field.wire_at = wire.name.span;
        }
        field.model.source = wire.source.value;
        field.source_at = wire.source.span;
        let Some(lowered) = lowered else { return field };
        (field.model.ty, field.pointer) = match lowered {
            model::Type::Nullable(inner) => (*inner, true),
            other => (other, false),
        };
        field.broken = false;
        check_wire(&field, self.faults);
        check_source(&field, &wire, self.faults);
        field.model.rules = rules::of(&wire, &field.model.ty, self.faults);
        field.model.presence = presence(&field, &wire, self.faults);
        field
    }
}

/// As in Go: without a tag, a field is a member of a JSON object and has the same name there.
fn untagged(name: &Name) -> Wire {
    Wire {
        source: Located::new(Source::Json, name.span),
        name: Located::new(String::new(), name.span),
        optional: None,
        default: None,
        range: None,
        options: None,
        length: None,
        format: None,
    }
}

fn presence(field: &Field, wire: &Wire, faults: &mut Faults) -> Presence {
    if let Some(default) = &wire.default {
        if let Some(optional) = &wire.optional {
            let title = "a field with a default is always there";
            let diagnostic =
                Diagnostic::new(title, optional.span, "expected `optional` or `default`, not both");
            faults.add(diagnostic.and(default.span, "this is taken where it is left out"));
        } else if field.pointer {
            let title = "a field with a default is always there";
            let diagnostic = Diagnostic::new(title, field.type_at, "expected no `*`");
            faults.add(diagnostic.and(default.span, "this is taken where it is left out"));
        }
        let literal = rules::default(default, &field.model.ty, &field.model.rules, faults);
        return literal.map_or(Presence::Required, Presence::Default);
    }
    match (&wire.optional, field.pointer) {
        (Some(_), _) => Presence::Optional,
        (None, true) => Presence::Nullable,
        (None, false) => Presence::Required,
    }
}

fn check_wire(field: &Field, faults: &mut Faults) {
    let wire = field.model.wire.as_str();
    let wrong = match field.model.source {
        _ if wire == "-" => Some("a field that is never on the wire has no place in a contract"),
        Source::Header if !wire.bytes().all(is_token) => Some("this cannot be the name of a header"),
        Source::Path if !wire.bytes().all(super::path::is_of_parameter) => {
            Some("this cannot be the name of a parameter in a path")
        }
        _ if wire.chars().any(|letter| letter.is_control() || matches!(letter, '"' | '\\')) => {
            Some("this cannot be a name on the wire")
        }
        _ => None,
    };
    if let Some(wrong) = wrong {
        faults.add(Diagnostic::new(wrong, field.wire_at, "expected another name"));
    }
}

fn check_source(field: &Field, wire: &Wire, faults: &mut Faults) {
    let ty = &field.model.ty;
    let item = match ty {
        model::Type::List(item) if field.model.source == Source::Form => item,
        other => other,
    };
    let (place, expected) = match field.model.source {
        Source::Json => return,
        Source::Path => ("a parameter of a path", "expected a string, a number or a bool"),
        Source::Header => ("a header", "expected a string, a number or a bool"),
        Source::Form => ("a parameter", "expected a string, a number, a bool, or a list of them"),
    };
    if !types::is_scalar(item) {
        let title = format!("{place} cannot be {}", types::describe(ty));
        let diagnostic = Diagnostic::new(title, field.type_at, expected);
        faults.add(diagnostic.and(field.source_at, "it comes from here"));
    }
    if field.model.source != Source::Path {
        return;
    }
    let maybe_absent = wire.optional.as_ref().or(wire.default.as_ref()).map(|option| option.span);
    if let Some(span) = maybe_absent.or(field.pointer.then_some(field.type_at)) {
        let title = "a parameter of a path is always there";
        faults.add(Diagnostic::new(title, span, "expected neither `optional`, `default` nor a pointer"));
    }
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
