//! What is different, laid over the configuration that it differs from. What the keys mean is for who reads the whole.

use serde_json::Value;
use shared::config::{self, Config, Error, Loaded};

/// The text as a tree, with nothing in it expanded.
pub(crate) fn tree(path: &str, text: &str) -> Result<Value, Error> {
    serde_saphyr::from_str(text)
        .map_err(|error| Error::Malformed { path: path.to_owned(), detail: error.to_string() })
}

/// Reads `base` with what is `different`; `path` is what faults call it.
pub(crate) fn parse<C: Config>(
    path: &str,
    base: &str,
    different: &Value,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded<C>, Error> {
    let mut whole = tree(path, base)?;
    lay(&mut whole, different);
    // JSON is YAML.
    config::parse(path, &whole.to_string(), environment)
}

/// Maps are merged; everything else is replaced. A map of which nothing is said stays as it is.
fn lay(whole: &mut Value, different: &Value) {
    match (whole, different) {
        (Value::Object(whole), Value::Object(different)) => {
            for (key, value) in different {
                lay(whole.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Object(_), Value::Null) => {}
        (whole, different) => *whole = different.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_changes_what_it_names_and_nothing_else() {
        let base = json!({"A": {"B": 1, "C": [1, 2]}, "D": "x"});
        for (different, expected) in [
            (
                json!({"A": {"C": [3], "E": {"F": true}}}),
                json!({"A": {"B": 1, "C": [3], "E": {"F": true}}, "D": "x"}),
            ),
            (json!({"A": null, "D": null}), json!({"A": {"B": 1, "C": [1, 2]}, "D": null})),
            (json!(null), base.clone()),
        ] {
            let mut whole = base.clone();
            lay(&mut whole, &different);
            assert_eq!(whole, expected);
        }
    }
}
