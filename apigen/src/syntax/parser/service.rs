//! Blocks of routes, with what stands before them in `@server`.

use super::Parser;
use crate::syntax::ast::{Doc, Name, Pairs, Route, Service, ServiceBody};
use crate::syntax::token::{Bracket, Kind};

/// What the lines of a block begin with, beside methods.
const ANNOTATIONS: [&str; 2] = ["@doc", "@handler"];

impl Parser<'_> {
    pub(super) fn service(&mut self) -> Option<Service> {
        let server = if self.is_at("@server") { Some(self.item(Self::server)?) } else { None };
        let body = self.item(Self::service_body)?;
        Some(Service { server, body })
    }

    fn server(&mut self) -> Option<Pairs> {
        self.bump();
        self.block(Bracket::Round, |parser| parser.item(Self::server_pair))
    }

    fn service_body(&mut self) -> Option<ServiceBody> {
        if !self.is_word("service") {
            self.unexpected_word("`service`", "`service` and what `@server` is about", &["service"]);
            return None;
        }
        self.bump();
        if self.kind() != Kind::Word {
            self.unexpected("the name of the service");
            return None;
        }
        let name = self.glued(|kind| matches!(kind, Kind::Word | Kind::Number | Kind::Dash));
        let name = self.located(name);
        let routes = self.block(Bracket::Curly, Self::route)?;
        Some(ServiceBody { name, routes })
    }

    /// What is wrong with one line of it does not keep the others from being read.
    fn route(&mut self) -> Option<Route> {
        let doc = if self.is_at("@doc") { Some(self.item(Self::doc)?) } else { None };
        if self.kind() == Kind::At && !self.is_at("@handler") {
            self.unexpected_word("`@handler`", "`@handler` and a name", &ANNOTATIONS);
            // The route below it is in order, for all we know.
            self.bump();
            self.eat(Kind::Word);
            self.item(Self::endpoint)?;
            return None;
        }
        if !self.is_at("@handler") {
            self.unexpected("`@handler` and a name before the route");
            return None;
        }
        let handler = self.item(Self::handler)?;
        let endpoint = self.item(Self::endpoint)?;
        Some(Route { doc, handler, endpoint })
    }

    fn doc(&mut self) -> Option<Doc> {
        self.bump();
        if self.kind() == Kind::Open(Bracket::Round) {
            return self.block(Bracket::Round, |parser| parser.item(Self::doc_pair)).map(Doc::Group);
        }
        self.expect_literal("a text in quotes, or `(`").map(Doc::Line)
    }

    fn handler(&mut self) -> Option<Name> {
        self.bump();
        self.expect_word("the name of a handler")
    }
}
