//! A struct that holds itself has no size, unless there is a pointer, a list or a map on the way.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

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
    let by_value = targets(structs.len(), &edges, |edge| !edge.pointer);
    let component = components(&by_value);
    let mut refused = HashSet::new();
    for edge in edges.iter().filter(|edge| !edge.pointer && component[edge.from] == component[edge.to]) {
        // Each component once, at the struct of it that stands first.
        if refused.insert(component[edge.from]) {
            faults.add(describe(&circle(edge.from, &component, &edges), structs));
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

/// The shortest way from `root` back to it, which there is.
fn circle<'a>(root: usize, component: &[usize], edges: &'a [Edge]) -> Vec<&'a Edge> {
    let mut by_start: HashMap<usize, Vec<&Edge>> = HashMap::new();
    for edge in edges.iter().filter(|edge| !edge.pointer && component[edge.to] == component[root]) {
        by_start.entry(edge.from).or_default().push(edge);
    }
    let mut came_by: HashMap<usize, &Edge> = HashMap::new();
    let mut open = VecDeque::from([root]);
    while let Some(node) = open.pop_front().filter(|_| !came_by.contains_key(&root)) {
        for edge in by_start.get(&node).into_iter().flatten().copied() {
            if let Entry::Vacant(entry) = came_by.entry(edge.to) {
                entry.insert(edge);
                open.push_back(edge.to);
            }
        }
    }
    let mut circle = Vec::new();
    let mut node = root;
    while let Some(edge) = came_by.get(&node).copied().filter(|_| circle.is_empty() || node != root) {
        circle.push(edge);
        node = edge.from;
    }
    circle.reverse();
    circle
}

fn describe(circle: &[&Edge], structs: &[Flat]) -> Diagnostic {
    let name = |index: usize| structs[index].name.value.as_str();
    let (first, rest) =
        circle.split_first().expect("a node of a component that has an edge leads back to itself");
    let label = |edge: &Edge| format!("each `{}` holds one `{}`", name(edge.from), name(edge.to));
    let title = format!("`{}` holds itself", name(first.from));
    let mut diagnostic = Diagnostic::new(title, first.at, label(first));
    for edge in rest {
        diagnostic = diagnostic.and(edge.at, format!("and {}", label(edge)));
    }
    diagnostic.help(format!("put a pointer, a list or a map between, such as `*{}`", name(first.to)))
}
