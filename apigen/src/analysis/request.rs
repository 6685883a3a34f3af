//! A route and its request must fit: each parameter of the path has a field, and the other way round; and there is no body
//! where HTTP has none.

use std::collections::HashMap;

use super::embedding::{Flat, Placed};
use super::routes::Route;
use crate::diagnostics::{Diagnostic, Faults, did_you_mean};
use crate::model::Source;

/// RFC 9110, 9.3: content in a request of these has no meaning.
const WITHOUT_BODY: [&str; 3] = ["GET", "HEAD", "TRACE"];

pub(super) fn check(routes: &[Route], structs: &[Flat], faults: &mut Faults) {
    let structs: HashMap<&str, &Flat> = structs.iter().map(|flat| (flat.name.value.as_str(), flat)).collect();
    for route in routes {
        let request = route.request.as_ref().and_then(|name| structs.get(name.value.as_str()));
        let fields = request.map(|flat| flat.fields.as_slice()).unwrap_or_default();
        // A field that is broken could be any.
        if route.broken || fields.iter().any(|placed| placed.field.broken) {
            continue;
        }
        check_parameters(route, fields, faults);
        check_fields(route, fields, faults);
        check_body(route, fields, faults);
    }
}

fn check_parameters(route: &Route, fields: &[Placed], faults: &mut Faults) {
    let wires: Vec<&str> = of(fields, Source::Path).map(|placed| placed.field.model.wire.as_str()).collect();
    for parameter in route.path.parameters() {
        let name = parameter.value.as_str();
        if wires.contains(&name) {
            continue;
        }
        let title = format!("parameter `:{name}` has no field in the request of `{}`", route.model.handler);
        let label = format!("expected a field with the tag `path:\"{name}\"`");
        let mut diagnostic = Diagnostic::new(title, parameter.span, label);
        if let Some(request) = &route.request {
            diagnostic = diagnostic.and(request.span, "in this struct");
        }
        faults.add(diagnostic.maybe_help(did_you_mean(name, wires.iter().copied())));
    }
}

fn check_fields(route: &Route, fields: &[Placed], faults: &mut Faults) {
    for placed in of(fields, Source::Path) {
        let wire = &placed.field.model.wire;
        if !route.path.parameters().any(|parameter| parameter.value == *wire) {
            let title = format!("the path of `{}` has no parameter `:{wire}`", route.model.handler);
            let diagnostic = Diagnostic::new(title, route.path_at, format!("expected `:{wire}` in here"));
            faults.add(diagnostic.and(placed.field.wire_at, "this field comes from it"));
        }
    }
}

fn check_body(route: &Route, fields: &[Placed], faults: &mut Faults) {
    let method = route.model.method.as_str();
    let Some(request) = &route.request else { return };
    let Some(placed) = of(fields, Source::Json).next().filter(|_| WITHOUT_BODY.contains(&method)) else {
        return;
    };
    let title = format!("a {method} request has no body, and `{}` has fields in one", request.value);
    let diagnostic =
        Diagnostic::new(title, request.span, "expected fields of `path`, `form` and `header` alone");
    faults
        .add(diagnostic.and(placed.field.source_at, format!("`{}` is in the body", placed.field.model.name)));
}

fn of(fields: &[Placed], source: Source) -> impl Iterator<Item = &Placed> {
    fields.iter().filter(move |placed| placed.field.model.source == source)
}
