//! `${NAME}` and `${NAME:-default}` inside scalars. Expanded after parsing, so that no value can bend the file's shape.
//! What comes out is a text first: a password of digits stays what it is. A key that wants no text gets the number or the
//! truth value that the text says.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Faults;

/// The process' variables, or a test's.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the environment made of the scalars that name it, by their paths.
pub(super) type Expansions = HashMap<String, Expansion>;

/// What there is for a key that takes no text.
#[derive(Debug, PartialEq)]
pub(super) enum Expansion {
    Scalar(Value),
    Text,
    /// Nothing, as if the key were not there: it has a default of nothing.
    Nothing,
    /// Nothing, though this variable is set.
    Empty(String),
}

pub(super) fn expand_all(
    keys: &mut Map<String, Value>,
    environment: Environment<'_>,
    faults: &mut Faults,
) -> Expansions {
    let mut expansions = Expansions::new();
    for (key, value) in keys {
        expand(key, value, environment, &mut expansions, faults);
    }
    expansions
}

fn expand(
    path: &str,
    value: &mut Value,
    environment: Environment<'_>,
    expansions: &mut Expansions,
    faults: &mut Faults,
) {
    match value {
        Value::String(text) if text.contains("${") => match substitute(text, environment) {
            Ok((text, expansion)) => {
                *value = Value::String(text);
                expansions.insert(path.to_owned(), expansion);
            }
            Err(fault) => faults.add(path, fault),
        },
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                expand(&format!("{path}[{index}]"), item, environment, expansions, faults);
            }
        }
        Value::Object(keys) => {
            for (key, value) in keys {
                expand(&format!("{path}.{key}"), value, environment, expansions, faults);
            }
        }
        _ => {}
    }
}

fn substitute(text: &str, environment: Environment<'_>) -> Result<(String, Expansion), String> {
    let (mut out, mut empty) = (String::new(), None);
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let (inside, after) =
            rest[at + 2..].split_once('}').ok_or_else(|| format!("`{text}` lacks a closing `}}`"))?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        // As in a shell, `:-` takes an empty variable for a missing one.
        let set = environment(name).filter(|value| default.is_none() || !value.is_empty());
        match set.as_deref().or(default) {
            Some(value) => {
                if value.is_empty() && default.is_none() {
                    empty = Some(name.to_owned());
                }
                out.push_str(value);
            }
            None => {
                return Err(format!("the environment has no {name}; set it, or write ${{{name}:-default}}"));
            }
        }
        rest = after;
    }
    out.push_str(rest);
    let expansion = match (serde_json::from_str::<Value>(&out), empty) {
        (Ok(value @ (Value::Number(_) | Value::Bool(_))), _) => Expansion::Scalar(value),
        (_, Some(name)) if out.is_empty() => Expansion::Empty(name),
        _ if out.is_empty() => Expansion::Nothing,
        _ => Expansion::Text,
    };
    Ok((out, expansion))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expanded(text: &str) -> Result<(String, Expansion), String> {
        let environment = |name: &str| match name {
            "PORT" => Some("8888".to_owned()),
            "ON" => Some("true".to_owned()),
            "PADDED" => Some(" 12 ".to_owned()),
            "SHARE" => Some("1.50".to_owned()),
            "NOTHING" => Some(String::new()),
            "BENT" => Some("a\nPort: 1".to_owned()),
            _ => None,
        };
        substitute(text, &environment)
    }

    #[test]
    fn a_value_keeps_its_text_and_may_have_a_type() {
        let typed = |value: Value| Expansion::Scalar(value);
        for (text, expected, expansion) in [
            ("${PORT}", "8888", typed(8888.into())),
            ("${ON}", "true", typed(true.into())),
            ("${PADDED}", " 12 ", typed(12.into())),
            ("${SHARE}", "1.50", typed(1.5.into())),
            ("${BENT}", "a\nPort: 1", Expansion::Text),
            ("http://${HOST:-localhost}:${PORT}/", "http://localhost:8888/", Expansion::Text),
            ("${NOTHING:-some}", "some", Expansion::Text),
            ("${NOTHING}", "", Expansion::Empty("NOTHING".to_owned())),
            ("${NOTHING}${PORT}", "8888", typed(8888.into())),
            ("${MISSING:-}", "", Expansion::Nothing),
            ("${NOTHING:-}", "", Expansion::Nothing),
        ] {
            assert_eq!(expanded(text), Ok((expected.to_owned(), expansion)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_expanded_says_why() {
        assert_eq!(expanded("x${PORT").unwrap_err(), "`x${PORT` lacks a closing `}`");
        assert_eq!(
            expanded("${MISSING}").unwrap_err(),
            "the environment has no MISSING; set it, or write ${MISSING:-default}"
        );
    }
}
