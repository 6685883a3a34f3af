//! The named values of a request: the members of a JSON object, the parameters of a path or query, the headers.
//! Generated code takes from them what its contract names; what is left is refused.

use http::HeaderMap;
use serde_json::{Map, Value};

use super::decode::{Decode, Faults, Pointer};
use super::validate::{Rule, check};

/// The headers of a contract that are lists, which may stand in several lines (RFC 9110, 5.3).
const LISTS: [&str; 2] = ["If-Match", "If-None-Match"];

/// Each name is taken once; a value that is missing or wrong becomes a fault, and the rest goes on.
pub struct Members<'a> {
    left: Left<'a>,
    at: Pointer<'a>,
    faults: &'a mut Faults,
    known: Vec<&'static str>,
}

enum Left<'a> {
    Json(Map<String, Value>),
    Texts(Vec<(String, String)>),
    Headers(&'a HeaderMap),
}

impl<'a> Members<'a> {
    /// Of a JSON object; `None`, and a fault, where the value is none.
    pub fn of(value: Value, at: &Pointer<'a>, faults: &'a mut Faults) -> Option<Members<'a>> {
        match value {
            Value::Object(members) => Some(Members::new(Left::Json(members), *at, faults)),
            _ => {
                faults.add(at, "must be an object");
                None
            }
        }
    }

    pub(super) fn of_object(members: Map<String, Value>, faults: &'a mut Faults) -> Members<'a> {
        Members::new(Left::Json(members), Pointer::Whole, faults)
    }

    pub(super) fn of_texts(texts: Vec<(String, String)>, faults: &'a mut Faults) -> Members<'a> {
        Members::new(Left::Texts(texts), Pointer::Whole, faults)
    }

    pub(super) fn of_headers(headers: &'a HeaderMap, faults: &'a mut Faults) -> Members<'a> {
        Members::new(Left::Headers(headers), Pointer::Whole, faults)
    }

    fn new(left: Left<'a>, at: Pointer<'a>, faults: &'a mut Faults) -> Members<'a> {
        Members { left, at, faults, known: Vec::new() }
    }

    pub fn required<T: Decode>(&mut self, name: &'static str, rules: &[Rule]) -> Option<T> {
        match self.take::<T>(name)? {
            Some(value) => self.decode(value, name, rules),
            None => {
                self.faults.add(&self.at.member(name), "is required");
                None
            }
        }
    }

    /// Absent and `null` are the same.
    pub fn optional<T: Decode>(&mut self, name: &'static str, rules: &[Rule]) -> Option<Option<T>> {
        match self.take::<T>(name)? {
            Some(Value::Null) | None => Some(None),
            Some(value) => self.decode(value, name, rules).map(Some),
        }
    }

    pub fn or_else<T: Decode>(
        &mut self,
        name: &'static str,
        rules: &[Rule],
        default: impl FnOnce() -> T,
    ) -> Option<T> {
        self.optional(name, rules).map(|value| value.unwrap_or_else(default))
    }

    /// Whatever was not taken is refused.
    pub fn close(self) {
        let Members { left, at, faults, known } = self;
        // Looking for what was meant is dear: nobody makes us do it more often than we tell of it.
        let mut refuse = |name: &str| {
            if !faults.is_full() {
                faults.add(&at.member(name), unknown(name, &known));
            }
        };
        match left {
            Left::Json(members) => members.keys().for_each(|name| refuse(name)),
            Left::Texts(mut texts) => {
                texts.dedup_by(|one, other| one.0 == other.0);
                texts.iter().for_each(|(name, _)| refuse(name));
            }
            // Clients and everything between them and us add headers of their own.
            Left::Headers(_) => {}
        }
    }

    fn decode<T: Decode>(&mut self, value: Value, name: &'static str, rules: &[Rule]) -> Option<T> {
        let at = self.at.member(name);
        let sound = check(&value, rules, &at, self.faults);
        let value = T::decode(value, &at, self.faults);
        value.filter(|_| sound)
    }

    /// `None` where the parameter itself is at fault.
    fn take<T: Decode>(&mut self, name: &'static str) -> Option<Option<Value>> {
        self.known.push(name);
        let texts: Vec<String> = match &mut self.left {
            Left::Json(members) => return Some(members.remove(name)),
            Left::Texts(texts) => texts
                .extract_if(.., |(other, _)| other == name)
                .map(|(_, text)| text)
                .filter(|text| !text.is_empty())
                .collect(),
            Left::Headers(headers) => {
                let texts = headers.get_all(name).iter().map(|value| value.to_str().map(str::to_owned));
                let Ok(texts) = texts.collect::<Result<Vec<_>, _>>() else {
                    self.faults.add(&self.at.member(name), "must be visible ASCII characters");
                    return None;
                };
                let mut texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
                if LISTS.contains(&name) && texts.len() > 1 {
                    texts = vec![texts.join(", ")];
                }
                texts
            }
        };
        if T::MANY && !texts.is_empty() {
            return Some(Some(Value::Array(texts.into_iter().map(T::of_text).collect())));
        }
        let mut texts = texts.into_iter();
        let first = texts.next();
        if texts.next().is_some() {
            self.faults.add(&self.at.member(name), "must stand only once");
            return None;
        }
        Some(first.map(T::of_text))
    }
}

fn unknown(name: &str, known: &[&'static str]) -> String {
    let near = known
        .iter()
        .filter(|known| name.len() <= 2 * known.len())
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(3))
        .min();
    match near {
        Some((_, near)) => format!("is not known; did you mean {near}?"),
        None => "is not known".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The faults of a body that has nothing but these members, where a contract knows eight.
    fn close(names: impl Iterator<Item = String>) -> Vec<crate::error::Violation> {
        let mut faults = Faults::default();
        let mut members = Members::of_object(names.map(|name| (name, Value::Null)).collect(), &mut faults);
        for known in ["email", "password", "name", "street", "city", "postal_code", "country", "quantity"] {
            members.optional::<String>(known, &[]);
        }
        members.close();
        faults.into_violations()
    }

    #[test]
    fn a_body_of_unknown_members_costs_no_more_than_it_is_told() {
        let begun = crate::clock::tick();
        assert_eq!(close((0..150_000).map(|n| format!("nam{n}"))).len(), Faults::MOST);
        let one = close(std::iter::once("x".repeat(1 << 20)));
        assert_eq!(one[0].detail, "is not known");
        let took = crate::clock::tick() - begun;
        assert!(took < 1_000_000_000, "{took} ns");
        assert_eq!(
            close(std::iter::once("pasword".to_owned()))[0].detail,
            "is not known; did you mean password?"
        );
    }
}
