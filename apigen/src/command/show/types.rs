//! `apigen show types`: a block a struct, a line a field.

use apigen::model::{Contract, Edge, Field, Literal, Presence, Rule, Source, Struct, Usage};

use super::{table, type_name};

pub(super) fn text(contract: &Contract) -> String {
    let blocks = contract.structs.iter().map(block).collect::<Vec<_>>();
    blocks.join("\n")
}

fn block(one: &Struct) -> String {
    let usage = match one.usage {
        Usage { in_requests: true, in_answers: true } => "in requests and answers",
        Usage { in_requests: true, in_answers: false } => "in requests",
        Usage { in_requests: false, in_answers: true } => "in answers",
        Usage { in_requests: false, in_answers: false } => "by itself in nothing",
    };
    let rows: Vec<Vec<String>> = one.fields.iter().map(row).collect();
    format!("{} ({usage})\n{}", one.name, table(&rows))
}

fn row(field: &Field) -> Vec<String> {
    let source = match field.source {
        Source::Json => "json",
        Source::Path => "path",
        Source::Form => "form",
        Source::Header => "header",
    };
    vec![
        format!("  {}", field.name),
        type_name(&field.ty),
        format!("{source} {}", field.wire),
        demands(field).join(", "),
    ]
}

fn demands(field: &Field) -> Vec<String> {
    let presence = match &field.presence {
        Presence::Required => None,
        Presence::Optional => Some("optional".to_owned()),
        Presence::Nullable => Some("nullable".to_owned()),
        Presence::Default(value) => Some(format!("default {}", literal(value))),
    };
    presence.into_iter().chain(field.rules.iter().map(rule)).collect()
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Bool(value) => value.to_string(),
        Literal::Integer(value) => value.to_string(),
        Literal::Number(value) => value.to_string(),
        Literal::Text(value) => value.clone(),
    }
}

fn rule(rule: &Rule) -> String {
    match rule {
        Rule::Integer { from, to } => format!("range [{}:{}]", open(*from), open(*to)),
        Rule::Number { from, to } => {
            let (from, to) = (edge(*from, "[", "("), edge(*to, "]", ")"));
            format!("range {}{}:{}{}", from.1, from.0, to.0, to.1)
        }
        Rule::Length { from, to } => format!("length [{from}:{}]", open(*to)),
        Rule::Options(options) => options.join("|"),
        Rule::Format(format) => format.clone(),
    }
}

fn open<T: ToString>(end: Option<T>) -> String {
    end.map(|end| end.to_string()).unwrap_or_default()
}

/// The number, and its bracket.
fn edge(edge: Edge, square: &'static str, round: &'static str) -> (String, &'static str) {
    match edge {
        Edge::Open => (String::new(), square),
        Edge::Included(number) => (number.to_string(), square),
        Edge::Excluded(number) => (number.to_string(), round),
    }
}
