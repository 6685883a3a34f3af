//! Declarations, and the lines of a service.

use super::blocks::{apart, within};
use super::printer::{Printer, Space};
use crate::syntax::ast::{Decl, Doc, Endpoint, Import, Item, Literal, Route, Service, Types};
use crate::syntax::token::Bracket;

/// Imports may follow each other closely; everything else stands apart.
pub(super) fn space_between(decls: &[Decl], index: usize) -> Space {
    match (index.checked_sub(1).map(|before| &decls[before]), &decls[index]) {
        (None, _) => Space::None,
        (Some(Decl::Import(_)), Decl::Import(_)) => Space::AsWritten,
        _ => Space::Blank,
    }
}

impl Printer {
    pub(super) fn decl(&mut self, decl: &Decl, space: Space) {
        match decl {
            Decl::Syntax(item) => self.line(item, space, |printer, version| {
                printer.push("syntax = ");
                printer.push(&version.value);
            }),
            Decl::Info(item) => self.line(item, space, |printer, info| {
                printer.push("info ");
                printer.pairs(&info.pairs);
            }),
            Decl::Import(item) => self.line(item, space, Printer::import),
            Decl::Types(item) => self.line(item, space, |printer, types| {
                printer.push("type ");
                printer.types(types);
            }),
            Decl::Service(service) => self.service(service, space),
        }
    }

    fn line<T>(&mut self, item: &Item<T>, space: Space, print: impl FnOnce(&mut Printer, &T)) {
        self.begin(item, space);
        print(self, &item.value);
        self.finish(item);
    }

    fn import(&mut self, import: &Import) {
        self.push("import ");
        match import {
            Import::One(path) => self.push(&path.value),
            Import::Group(group) => {
                self.block(Bracket::Round, group, |printer, item: &Item<Literal>, index| {
                    printer.line(item, within(index), |printer, path| printer.push(&path.value));
                })
            }
        }
    }

    fn types(&mut self, types: &Types) {
        match types {
            Types::One(def) => self.type_def(def),
            Types::Group(group) => self.block(Bracket::Round, group, |printer, item, index| {
                printer.line(item, apart(index), Printer::type_def);
            }),
        }
    }

    fn service(&mut self, service: &Service, space: Space) {
        let mut space = space;
        if let Some(server) = &service.server {
            self.line(server, space, |printer, pairs| {
                printer.push("@server ");
                printer.pairs(pairs);
            });
            space = Space::None;
        }
        self.line(&service.body, space, |printer, body| {
            printer.push("service ");
            printer.push(&body.name.value);
            printer.push(" ");
            printer.block(Bracket::Curly, &body.routes, Printer::route);
        });
    }

    fn route(&mut self, route: &Route, index: usize) {
        let mut space = apart(index);
        if let Some(doc) = &route.doc {
            self.line(doc, space, |printer, doc| {
                printer.push("@doc ");
                match doc {
                    Doc::Line(text) => printer.push(&text.value),
                    Doc::Group(pairs) => printer.pairs(pairs),
                }
            });
            space = Space::None;
        }
        self.line(&route.handler, space, |printer, name| {
            printer.push("@handler ");
            printer.push(&name.value);
        });
        self.line(&route.endpoint, Space::None, Printer::endpoint);
    }

    fn endpoint(&mut self, endpoint: &Endpoint) {
        self.push(&endpoint.method.value);
        self.push(" ");
        self.push(&endpoint.path.value);
        if let Some(request) = &endpoint.request {
            self.push(" (");
            self.ty(request);
            self.push(")");
        }
        if let Some(returns) = &endpoint.returns {
            self.push(" returns (");
            self.ty(returns);
            self.push(")");
        }
    }
}
