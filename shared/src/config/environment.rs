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

/// Whole numbers and truth values get their type, as if they stood in the file. JSON has one form of each, so that a
/// password of digits is not changed by it.
fn scalar(text: String) -> Value {
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Number(number)) if !number.is_f64() => Value::Number(number),
        Ok(Value::Bool(value)) => Value::Bool(value),
        _ => Value::String(text),
    }
}
