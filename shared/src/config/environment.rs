//! `${NAME}` and `${NAME:-default}` inside scalars. Expanded after parsing, so that no value can bend the file's shape.

use serde_json::{Map, Value};

use super::Faults;

pub(super) fn expand_all(
    keys: &mut Map<String, Value>,
    environment: &dyn Fn(&str) -> Option<String>,
    faults: &mut Faults,
) {
    for (key, value) in keys {
        expand(key, value, environment, faults);
    }
}

fn expand(path: &str, value: &mut Value, environment: &dyn Fn(&str) -> Option<String>, faults: &mut Faults) {
    match value {
        Value::String(text) if text.contains("${") => match substitute(text, environment) {
            Ok(text) => *value = scalar(text),
            Err(fault) => faults.add(path, fault),
        },
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                expand(&format!("{path}[{index}]"), item, environment, faults);
            }
        }
        Value::Object(keys) => {
            for (key, value) in keys {
                expand(&format!("{path}.{key}"), value, environment, faults);
            }
        }
        _ => {}
    }
}

fn substitute(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
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
            Some(value) => out.push_str(value),
            None => {
                return Err(format!("the environment has no {name}; set it, or write ${{{name}:-default}}"));
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Whole numbers and truth values get their type, as if they stood in the file, where nothing is lost by it: a password
/// of digits can be written out again as it was.
fn scalar(text: String) -> Value {
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Number(number)) if !number.is_f64() && number.to_string() == text => Value::Number(number),
        Ok(Value::Bool(value)) => Value::Bool(value),
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expanded(text: &str) -> Result<Value, String> {
        let environment = |name: &str| match name {
            "PORT" => Some("8888".to_owned()),
            "ON" => Some("true".to_owned()),
            "PADDED" => Some(" 12 ".to_owned()),
            "SHARE" => Some("1.50".to_owned()),
            "NOTHING" => Some(String::new()),
            "BENT" => Some("a\nPort: 1".to_owned()),
            _ => None,
        };
        substitute(text, &environment).map(scalar)
    }

    #[test]
    fn a_value_keeps_its_text_and_gets_its_type() {
        for (text, expected) in [
            ("${PORT}", Value::from(8888)),
            ("${ON}", Value::from(true)),
            ("${PADDED}", Value::from(" 12 ")),
            ("${SHARE}", Value::from("1.50")),
            ("${BENT}", Value::from("a\nPort: 1")),
            ("http://${HOST:-localhost}:${PORT}/", Value::from("http://localhost:8888/")),
            ("${NOTHING:-some}", Value::from("some")),
            ("${NOTHING}", Value::from("")),
            ("${MISSING:-}", Value::from("")),
        ] {
            assert_eq!(expanded(text), Ok(expected), "{text}");
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
