//! Routes, each with what its block and its `@doc` say of it.

use std::collections::HashMap;

use super::declared::{What, check_name};
use super::imports::Tree;
use super::path::{self, Path};
use super::server::{self, Server};
use super::structs::Lowering;
use super::summary;
use crate::diagnostics::{Diagnostic, did_you_mean};
use crate::model;
use crate::names::snake;
use crate::syntax::ast::{self, Decl, Endpoint, Name, TypeKind};
use crate::syntax::span::{Located, Span};

/// A route on its way to the model, with what later steps point at.
pub(super) struct Route {
    pub(super) model: model::Route,
    pub(super) path: Path,
    pub(super) path_at: Span,
    /// The name of a struct that is there.
    pub(super) request: Option<Name>,
    /// Where the answer's type stands.
    pub(super) returns_at: Span,
    /// Its request was wrong, so that nothing can be concluded from there being none.
    pub(super) broken: bool,
}

pub(super) fn routes(tree: &Tree, service: &str, lowering: &mut Lowering<'_, '_>) -> Vec<Route> {
    let mut routes = Vec::new();
    let mut seen = Seen::default();
    for decl in tree.iter().flat_map(|file| &file.decls) {
        let Decl::Service(block) = decl else { continue };
        let server = block.server.as_ref().map(|item| server::read(&item.value, lowering.faults));
        let server = server.unwrap_or_default();
        let group = server.group.clone().unwrap_or_else(|| snake(service));
        for route in &block.body.value.routes.items {
            if let Some(route) = read(route, &group, &server, lowering, &mut seen) {
                routes.push(route);
            }
        }
    }
    routes
}

fn read(
    route: &ast::Route,
    group: &str,
    server: &Server,
    lowering: &mut Lowering<'_, '_>,
    seen: &mut Seen,
) -> Option<Route> {
    let handler = &route.handler.value;
    let endpoint = &route.endpoint.value;
    check_name(handler, What::Handler, lowering.faults);
    seen.handler(group, handler, lowering);
    let summary = summary::read(route.doc.as_ref().map(|item| &item.value), lowering.faults);
    let method = endpoint.method.value.to_uppercase();
    let request = request(endpoint, lowering);
    let returns = endpoint.returns.as_ref().and_then(|ty| lowering.ty(ty, None));
    if let (Some(_), None) = (server.sse, &endpoint.returns) {
        let title = "a stream of events needs the type of its events";
        let diagnostic = Diagnostic::new(title, endpoint.path.span, "expected `returns (…)` behind this");
        lowering.faults.add(diagnostic.and(server.sse?, "the answers of this block are streams"));
    }
    let path = server.prefix.join(&path::read(&endpoint.path, lowering.faults)?);
    check_parameters(&path, lowering);
    seen.path(&method, &path, endpoint.path.span, lowering);
    Some(Route {
        model: model::Route {
            group: group.to_owned(),
            handler: handler.value.clone(),
            summary: summary.lines,
            answers: summary.answers,
            method,
            pattern: path.pattern(),
            request: request.as_ref().map(|name| name.value.clone()),
            // As in Go, a pointer says nothing more of an answer as a whole.
            returns: returns.map(|ty| match ty {
                model::Type::Nullable(inner) => *inner,
                other => other,
            }),
            jwt: server.jwt,
            sse: server.sse.is_some(),
            middleware: server.middleware.clone(),
            timeout: server.timeout,
            max_bytes: server.max_bytes,
        },
        path,
        path_at: endpoint.path.span,
        broken: endpoint.request.is_some() && request.is_none(),
        request,
        returns_at: endpoint.returns.as_ref().map_or(endpoint.path.span, |ty| ty.span),
    })
}

/// A struct that has a name.
fn request(endpoint: &Endpoint, lowering: &mut Lowering<'_, '_>) -> Option<Name> {
    let ty = endpoint.request.as_ref()?;
    let TypeKind::Name(name) = &ty.value else {
        let diagnostic = Diagnostic::new("a request is a struct", ty.span, "expected the name of a struct");
        lowering.faults.add(diagnostic);
        return None;
    };
    if lowering.declared.place(name).is_some() {
        return Some(Located::new(name.clone(), ty.span));
    }
    let help = did_you_mean(name, lowering.declared.names());
    let title = format!("there is no struct `{name}`");
    lowering.faults.add(Diagnostic::new(title, ty.span, "expected the name of a struct").maybe_help(help));
    None
}

fn check_parameters(path: &Path, lowering: &mut Lowering<'_, '_>) {
    let mut known: HashMap<&str, Span> = HashMap::new();
    for parameter in path.parameters() {
        match known.get(parameter.value.as_str()) {
            Some(first) => {
                let title = format!("parameter `:{}` stands here twice", parameter.value);
                let diagnostic = Diagnostic::new(title, parameter.span, "the second time");
                lowering.faults.add(diagnostic.and(*first, "the first time"));
            }
            None => drop(known.insert(&parameter.value, parameter.span)),
        }
    }
}

/// The routes so far.
#[derive(Default)]
struct Seen {
    /// By group and name in Rust.
    handlers: HashMap<(String, String), Name>,
    /// By method and pattern.
    routes: HashMap<(String, String), Span>,
    /// By shape: the first pattern of it.
    shapes: HashMap<String, (String, Span)>,
}

impl Seen {
    fn handler(&mut self, group: &str, handler: &Name, lowering: &mut Lowering<'_, '_>) {
        let in_rust = snake(&handler.value);
        match self.handlers.get(&(group.to_owned(), in_rust.clone())) {
            Some(first) => {
                let title = if first.value == handler.value {
                    format!("group `{group}` has two handlers `{}`", handler.value)
                } else {
                    format!("`{}` and `{}` are both `{group}::{in_rust}` in Rust", first.value, handler.value)
                };
                let diagnostic = Diagnostic::new(title, handler.span, "the second one");
                lowering.faults.add(diagnostic.and(first.span, "the first one"));
            }
            None => drop(self.handlers.insert((group.to_owned(), in_rust), handler.clone())),
        }
    }

    fn path(&mut self, method: &str, path: &Path, at: Span, lowering: &mut Lowering<'_, '_>) {
        let pattern = path.pattern();
        let first = *self.routes.entry((method.to_owned(), pattern.clone())).or_insert(at);
        if first != at {
            let title = format!("`{method} {pattern}` has two routes");
            lowering.faults.add(Diagnostic::new(title, at, "this one").and(first, "and an earlier one"));
            return;
        }
        match self.shapes.get(&path.shape()) {
            Some((other, first)) if *other != pattern => {
                let title = format!("`{pattern}` and `{other}` take the same requests");
                let diagnostic = Diagnostic::new(title, at, "expected the same names for the parameters");
                lowering.faults.add(diagnostic.and(*first, "the first one"));
            }
            Some(_) => {}
            None => drop(self.shapes.insert(path.shape(), (pattern, at))),
        }
    }
}
