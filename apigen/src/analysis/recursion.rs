//! A struct that holds itself has no size, unless there is a pointer, a list or a map on the way.

use std::collections::{HashMap, VecDeque};

use super::embedding::Flat;
use super::graph::components;
use crate::diagnostics::{Diagnostic, Faults};
use crate::model::Type;
use crate::syntax::span::Span;

/// A field whose type is a struct.
struct Edge {
    from: usize,
    field: usize,
    to: usize,
    pointer: bool,
    at: Span,
}

/// Refuses structs that hold themselves by value, and finds the fields that need a box.
pub(super) fn check(structs: &mut [Flat], faults: &mut Faults) {
    let edges = edges(structs);
    let by_value = components(&targets(structs.len(), &edges, |edge| !edge.pointer));
    for root in 0..structs.len() {
        // Each component once, at the struct that stands first.
        if by_value.iter().position(|component| *component == by_value[root]) == Some(root)
            && let Some(circle) = circle(root, &by_value, &edges)
        {
            faults.add(describe(&circle, structs));
        }
    }
    let all = components(&targets(structs.len(), &edges, |_| true));
    for edge in edges {
        if edge.pointer && all[edge.from] == all[edge.to] {
            structs[edge.from].fields[edge.field].field.model.boxed = true;
        }
    }
}

fn edges(structs: &[Flat]) -> Vec<Edge> {
    let by_name: HashMap<&str, usize> =
        structs.iter().enumerate().map(|(index, flat)| (flat.name.value.as_str(), index)).collect();
    let mut edges = Vec::new();
    for (from, flat) in structs.iter().enumerate() {
        for (index, placed) in flat.fields.iter().enumerate() {
            let field = &placed.field;
            if let Type::Struct(name) = &field.model.ty
                && let Some(&to) = by_name.get(name.as_str())
            {
                edges.push(Edge { from, field: index, to, pointer: field.pointer, at: field.type_at });
            }
        }
    }
    edges
}

fn targets(count: usize, edges: &[Edge], counts: impl Fn(&Edge) -> bool) -> Vec<Vec<usize>> {
    let mut targets = vec![Vec::new(); count];
    for edge in edges.iter().filter(|edge| counts(edge)) {
        targets[edge.from].push(edge.to);
    }
    targets
}

/// The shortest way from `root` back to it.
fn circle<'a>(root: usize, component: &[usize], edges: &'a [Edge]) -> Option<Vec<&'a Edge>> {
    let mut came_by: HashMap<usize, &Edge> = HashMap::new();
    let mut open = VecDeque::from([root]);
    while let Some(node) = open.pop_front() {
        let inside = |edge: &&Edge| !edge.pointer && component[edge.to] == component[root];
        for edge in edges.iter().filter(|edge| edge.from == node).filter(inside) {
            if came_by.contains_key(&edge.to) {
                continue;
            }
            came_by.insert(edge.to, edge);
            open.push_back(edge.to);
        }
        if came_by.contains_key(&root) {
            break;
        }
    }
    let mut circle = vec![*came_by.get(&root)?];
    while let Some(first) = circle.last().map(|edge| edge.from).filter(|from| *from != root) {
        circle.push(came_by.get(&first)?);
    }
    circle.reverse();
    Some(circle)
}

fn describe(circle: &[&Edge], structs: &[Flat]) -> Diagnostic {
    let name = |index: usize| structs[index].name.value.as_str();
    let (first, rest) = circle.split_first().expect("a circle has an edge");
    let label = |edge: &Edge| format!("each `{}` holds a `{}`", name(edge.from), name(edge.to));
    let title = format!("`{}` holds itself", name(first.from));
    let mut diagnostic = Diagnostic::new(title, first.at, label(first));
    for edge in rest {
        diagnostic = diagnostic.and(edge.at, format!("and {}", label(edge)));
    }
    diagnostic.help(format!("put a pointer, a list or a map between, such as `*{}`", name(first.to)))
}
