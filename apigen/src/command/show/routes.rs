//! `apigen show routes`: a line a route.

use apigen::model::{Contract, Route};
use apigen::names::snake;

use super::{table, type_name};

pub(super) fn text(contract: &Contract) -> String {
    let head = ["METHOD", "PATTERN", "HANDLER", "REQUEST", "RETURNS", "NOTES"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(contract.routes.iter().map(row));
    table(&rows)
}

fn row(route: &Route) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        route.method.clone(),
        route.pattern.clone(),
        format!("{}::{}", route.group, snake(&route.handler)),
        or_dash(route.request.clone()),
        or_dash(route.returns.as_ref().map(type_name)),
        notes(route),
    ]
}

fn notes(route: &Route) -> String {
    let mut notes = Vec::new();
    notes.extend(route.jwt.then(|| "jwt".to_owned()));
    notes.extend(route.sse.then(|| "sse".to_owned()));
    notes.extend(route.middleware.iter().cloned());
    notes.extend(route.timeout.map(|timeout| format!("{timeout:?}")));
    notes.extend(route.max_bytes.map(|bytes| format!("{bytes} B")));
    notes.join(" ")
}
