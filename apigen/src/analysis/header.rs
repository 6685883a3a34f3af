//! What stands once: the version of the language, what a contract says of itself, and the name of its service.

use std::collections::HashMap;

use super::imports::Tree;
use crate::diagnostics::{Diagnostic, Faults};
use crate::syntax::ast::{Decl, File, Info, Item, Literal, Name, Pairs, Value};
use crate::syntax::literal::meaning;
use crate::syntax::span::Span;

/// That of every block of routes.
pub(super) fn service_name(tree: &Tree, faults: &mut Faults) -> String {
    let mut first: Option<&Name> = None;
    // The contract's own name counts, not that of what it imports.
    for file in tree.iter().rev() {
        for decl in &file.decls {
            let Decl::Service(service) = decl else { continue };
            let name = &service.body.value.name;
            match first {
                None => {
                    check_form(name, faults);
                    first = Some(name);
                }
                Some(first) if first.value != name.value => {
                    let title = format!("a contract has one service: `{}` or `{}`", first.value, name.value);
                    let diagnostic = Diagnostic::new(title, name.span, format!("expected `{}`", first.value));
                    faults.add(diagnostic.and(first.span, "named here"));
                }
                Some(_) => {}
            }
        }
    }
    first.map(|name| name.value.clone()).unwrap_or_default()
}

/// That of the contract's own file. What imported files say of themselves is checked, and left to them.
pub(super) fn info(tree: &Tree, faults: &mut Faults) -> Vec<(String, String)> {
    let mut info = Vec::new();
    for file in tree {
        check_syntax(file, faults);
        info = one_info(file, faults);
    }
    info
}

/// Each key once.
pub(super) fn check_keys(pairs: &Pairs, faults: &mut Faults) {
    let mut known: HashMap<&str, Span> = HashMap::new();
    for item in &pairs.items {
        let key = &item.value.key;
        match known.get(key.value.as_str()) {
            Some(first) => {
                let title = format!("`{}` stands here twice", key.value);
                faults.add(Diagnostic::new(title, key.span, "the second time").and(*first, "the first time"));
            }
            None => drop(known.insert(&key.value, key.span)),
        }
    }
}

fn check_form(name: &Name, faults: &mut Faults) {
    let sound = name.value.split('-').all(|word| {
        word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    if !sound {
        let diagnostic = Diagnostic::new(
            format!("`{}` cannot be the name of a service", name.value),
            name.span,
            "expected words of letters and digits with hyphens between them, such as `order-api`",
        );
        faults.add(diagnostic);
    }
}

fn check_syntax(file: &File, faults: &mut Faults) {
    let mut first: Option<Span> = None;
    for (index, decl) in file.decls.iter().enumerate() {
        let Decl::Syntax(Item { value: version, .. }) = decl else { continue };
        match first {
            Some(first) => {
                let diagnostic =
                    Diagnostic::new("`syntax` stands here twice", version.span, "the second time");
                faults.add(diagnostic.and(first, "the first time"));
            }
            None if index > 0 => {
                let title = "`syntax` stands before everything else";
                faults.add(Diagnostic::new(title, version.span, "expected at the start of the file"));
            }
            None => check_version(version, faults),
        }
        first = first.or(Some(version.span));
    }
}

fn check_version(version: &Literal, faults: &mut Faults) {
    if meaning(&version.value) != "v1" {
        let title = format!("version {} of the language is not known", version.value);
        faults.add(Diagnostic::new(title, version.span, "expected `\"v1\"`"));
    }
}

fn one_info(file: &File, faults: &mut Faults) -> Vec<(String, String)> {
    let mut first: Option<&Info> = None;
    for decl in &file.decls {
        let Decl::Info(Item { value: info, .. }) = decl else { continue };
        match first {
            Some(first) => {
                let diagnostic =
                    Diagnostic::new("`info` stands here twice", info.keyword.span, "the second time");
                faults.add(diagnostic.and(first.keyword.span, "the first time"));
            }
            None => {
                check_keys(&info.pairs, faults);
                first = Some(info);
            }
        }
    }
    let pairs = first.iter().flat_map(|info| &info.pairs.items);
    pairs.map(|item| (item.value.key.value.clone(), text(&item.value.value))).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Literal(literal) => meaning(&literal.value),
        Value::Line(line) => line.value.clone(),
        Value::Words(words) => words.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(", "),
    }
}
