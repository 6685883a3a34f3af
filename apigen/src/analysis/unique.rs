//! No two fields of a struct share a name: not in the contract, not in Rust, not on the wire.

use std::collections::HashMap;

use super::embedding::Placed;
use crate::diagnostics::{Diagnostic, Faults};
use crate::model::Source;
use crate::names::snake;
use crate::syntax::span::Span;

/// The fields of one struct so far.
#[derive(Default)]
pub(super) struct Seen {
    /// By what they are in Rust: what they are called, and where.
    names: HashMap<String, (String, Span)>,
    wires: HashMap<(Source, String), Span>,
}

impl Seen {
    /// Whether the field can be there; if not, it is said why.
    pub(super) fn admit(&mut self, placed: &Placed, faults: &mut Faults) -> bool {
        let field = &placed.field.model;
        let in_rust = snake(&field.name);
        if let Some((name, first)) = self.names.get(&in_rust) {
            let title = if *name == field.name {
                format!("field `{name}` stands here twice")
            } else {
                format!("`{name}` and `{}` are both `{in_rust}` in Rust", field.name)
            };
            faults.add(Diagnostic::new(title, placed.at, self::second(placed)).and(*first, "the first one"));
            return false;
        }
        self.names.insert(in_rust, (field.name.clone(), placed.at));
        if placed.field.broken {
            return true;
        }
        // Upper and lower case are one in headers (RFC 9110, 5.1).
        let wire =
            if field.source == Source::Header { field.wire.to_lowercase() } else { field.wire.clone() };
        let is_own = placed.at == placed.field.at;
        let at = if is_own { placed.field.wire_at } else { placed.at };
        if let Some(first) = self.wires.get(&(field.source, wire.clone())) {
            let title = format!("two fields are called `{}` on the wire", field.wire);
            let diagnostic = if *first == at {
                Diagnostic::new(title, placed.at, "each field needs a name of its own on the wire")
            } else {
                Diagnostic::new(title, at, self::second(placed)).and(*first, "the first one")
            };
            faults.add(diagnostic);
            return false;
        }
        self.wires.insert((field.source, wire), at);
        true
    }
}

fn second(placed: &Placed) -> String {
    if placed.at == placed.field.at {
        "the second one".to_owned()
    } else {
        format!("the second one is `{}` in here", placed.field.model.name)
    }
}
