//! What each struct is used for. One that is a JSON value, in an answer or inside something else, cannot have fields
//! that come from elsewhere.

use std::collections::HashMap;

use super::embedding::Flat;
use super::routes::Route;
use crate::diagnostics::{Diagnostic, Faults};
use crate::model::{Source, Type};
use crate::syntax::span::Span;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// The request itself, whose fields can come from anywhere.
    Request,
    InRequest,
    InAnswer,
}

pub(super) fn check(routes: &[Route], structs: &mut [Flat], faults: &mut Faults) {
    let by_name: HashMap<String, usize> =
        structs.iter().enumerate().map(|(index, flat)| (flat.name.value.clone(), index)).collect();
    let mut open: Vec<(usize, Use, Span)> = Vec::new();
    for route in routes {
        if let Some(name) = &route.request {
            open.extend(by_name.get(&name.value).map(|index| (*index, Use::Request, name.span)));
        }
        if let Some(name) = route.model.returns.as_ref().and_then(name) {
            open.extend(by_name.get(name).map(|index| (*index, Use::InAnswer, route.returns_at)));
        }
    }
    let mut json: Vec<Option<Span>> = vec![None; structs.len()];
    let mut done: Vec<Vec<Use>> = vec![Vec::new(); structs.len()];
    // From the first route on.
    open.reverse();
    while let Some((index, how, at)) = open.pop() {
        if done[index].contains(&how) {
            continue;
        }
        done[index].push(how);
        let flat = &mut structs[index];
        flat.usage.in_requests |= how != Use::InAnswer;
        flat.usage.in_answers |= how == Use::InAnswer;
        if how != Use::Request {
            json[index] = json[index].or(Some(at));
        }
        let inner = if how == Use::InAnswer { Use::InAnswer } else { Use::InRequest };
        for placed in &flat.fields {
            let target = name(&placed.field.model.ty).and_then(|name| by_name.get(name));
            open.extend(target.map(|target| (*target, inner, placed.field.type_at)));
        }
    }
    for (flat, at) in structs.iter().zip(json) {
        if let Some(at) = at {
            refuse_others(flat, at, faults);
        }
    }
}

fn refuse_others(flat: &Flat, at: Span, faults: &mut Faults) {
    for placed in flat.fields.iter().filter(|placed| !placed.field.broken) {
        let field = &placed.field;
        let place = match field.model.source {
            Source::Json => continue,
            Source::Path => "a path",
            Source::Form => "a query",
            Source::Header => "a header",
        };
        let name = &flat.name.value;
        let title = format!("`{name}` is JSON here, and its field `{}` comes from {place}", field.model.name);
        let diagnostic = Diagnostic::new(title, field.source_at, "expected `json`");
        faults.add(diagnostic.and(at, format!("`{name}` is JSON here")));
    }
}

/// That of the struct in a type, however deep.
fn name(ty: &Type) -> Option<&str> {
    match ty {
        Type::Struct(name) => Some(name),
        Type::List(inner) | Type::Map(inner) | Type::Nullable(inner) => name(inner),
        Type::Bool | Type::Text | Type::Integer { .. } | Type::Float { .. } | Type::Any => None,
    }
}
