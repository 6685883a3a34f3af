//! Embedded structs are replaced by their fields.

use std::collections::HashMap;

use super::field::Field;
use super::structs::{Line, Shape};
use super::unique::Seen;
use crate::diagnostics::{Diagnostic, Faults};
use crate::model::{self, Usage};
use crate::syntax::ast::Name;
use crate::syntax::span::Span;

/// How deep structs can be embedded in each other.
const DEEPEST: usize = 32;

/// A struct with all its fields.
pub(super) struct Flat {
    pub(super) name: Name,
    pub(super) doc: Vec<String>,
    pub(super) fields: Vec<Placed>,
    pub(super) usage: Usage,
}

#[derive(Clone)]
pub(super) struct Placed {
    pub(super) field: Field,
    /// The field itself, or what embeds it here.
    pub(super) at: Span,
}

impl Flat {
    pub(super) fn into_model(self) -> model::Struct {
        model::Struct {
            name: self.name.value,
            doc: self.doc,
            fields: self.fields.into_iter().map(|placed| placed.field.model).collect(),
            usage: self.usage,
        }
    }
}

pub(super) fn flatten(shapes: Vec<Shape>, faults: &mut Faults) -> Vec<Flat> {
    let by_name =
        shapes.iter().enumerate().map(|(index, shape)| (shape.name.value.as_str(), index)).collect();
    let states = shapes.iter().map(|_| State::Untouched).collect();
    let mut flattening = Flattening { shapes: &shapes, by_name, states, faults };
    for index in 0..shapes.len() {
        flattening.flatten(index, 0);
    }
    let states = flattening.states;
    let fields = states.into_iter().map(|state| match state {
        State::Done(fields) => fields,
        State::Untouched | State::Open => Vec::new(),
    });
    let flat = shapes.into_iter().zip(fields).map(|(shape, fields)| Flat {
        name: shape.name,
        doc: shape.doc,
        fields,
        usage: Usage::default(),
    });
    flat.collect()
}

struct Flattening<'a> {
    shapes: &'a [Shape],
    by_name: HashMap<&'a str, usize>,
    states: Vec<State>,
    faults: &'a mut Faults,
}

enum State {
    Untouched,
    Open,
    Done(Vec<Placed>),
}

impl Flattening<'_> {
    fn flatten(&mut self, index: usize, depth: usize) {
        if !matches!(self.states[index], State::Untouched) {
            return;
        }
        self.states[index] = State::Open;
        let shapes = self.shapes;
        let mut fields = Vec::new();
        let mut seen = Seen::default();
        for line in &shapes[index].lines {
            let placed = match line {
                Line::Field(field) => vec![Placed { field: field.as_ref().clone(), at: field.at }],
                Line::Embedded(name) => self.embedded(name, depth),
            };
            fields.extend(placed.into_iter().filter(|placed| seen.admit(placed, self.faults)));
        }
        self.states[index] = State::Done(fields);
    }

    fn embedded(&mut self, name: &Name, depth: usize) -> Vec<Placed> {
        // What is no struct was refused before.
        let Some(&index) = self.by_name.get(name.value.as_str()) else { return Vec::new() };
        if depth == DEEPEST {
            let title = format!("structs are embedded in each other more than {DEEPEST} deep");
            self.faults.add(Diagnostic::new(title, name.span, "too deep"));
            return Vec::new();
        }
        self.flatten(index, depth + 1);
        match &self.states[index] {
            State::Done(fields) => {
                fields.iter().map(|placed| Placed { field: placed.field.clone(), at: name.span }).collect()
            }
            State::Untouched | State::Open => {
                let title = format!("`{}` embeds itself", name.value);
                self.faults.add(Diagnostic::new(title, name.span, "this leads back to where it is embedded"));
                Vec::new()
            }
        }
    }
}
