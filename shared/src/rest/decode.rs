//! From a JSON value to a type, with every fault on the way. Generated types implement [`Decode`] through
//! [`Members`](super::Members); here are the types that they are made of.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::error::Violation;

/// What can be read from JSON, and from the text of a parameter.
pub trait Decode: Sized {
    /// A parameter of this type may stand several times.
    const MANY: bool = false;

    /// `None` where something is wrong; then it is in `faults`.
    fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self>;

    /// What the text of a parameter means. What means nothing stays a text, for [`Decode::decode`] to refuse.
    fn of_text(text: String) -> Value {
        Value::String(text)
    }
}

/// Where a value stands: a JSON pointer (RFC 6901) that is written out only when there is something to tell of it.
#[derive(Clone, Copy)]
pub enum Pointer<'a> {
    Whole,
    Member(&'a Pointer<'a>, &'a str),
    Item(&'a Pointer<'a>, usize),
}

impl Pointer<'_> {
    pub fn member<'a>(&'a self, name: &'a str) -> Pointer<'a> {
        Pointer::Member(self, name)
    }

    pub fn item(&self, index: usize) -> Pointer<'_> {
        Pointer::Item(self, index)
    }
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pointer::Whole => Ok(()),
            Pointer::Member(above, name) if name.contains(['~', '/']) => {
                write!(f, "{above}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            Pointer::Member(above, name) => write!(f, "{above}/{name}"),
            Pointer::Item(above, index) => write!(f, "{above}/{index}"),
        }
    }
}

/// What is wrong with a request. It keeps the first [`Faults::MOST`]: whoever sends more of them on purpose does not
/// make us write them all down.
#[derive(Default)]
pub struct Faults(Vec<Violation>);

impl Faults {
    pub const MOST: usize = 100;

    pub fn add(&mut self, at: &Pointer<'_>, detail: impl Into<String>) {
        if !self.is_full() {
            self.0.push(Violation::new(at.to_string(), detail));
        }
    }

    /// More are not told.
    pub fn is_full(&self) -> bool {
        self.0.len() >= Self::MOST
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_violations(self) -> Vec<Violation> {
        self.0
    }
}

impl Decode for String {
    fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            _ => wrong(at, faults, "must be a string"),
        }
    }
}

impl Decode for bool {
    fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<bool> {
        value.as_bool().or_else(|| wrong(at, faults, "must be true or false"))
    }

    fn of_text(text: String) -> Value {
        text.parse().map_or(Value::String(text), Value::Bool)
    }
}

/// Whatever JSON there is.
impl Decode for Value {
    fn decode(value: Value, _: &Pointer<'_>, _: &mut Faults) -> Option<Value> {
        Some(value)
    }
}

macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl Decode for $integer {
            fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<$integer> {
                let Some(number) = integer(&value) else { return wrong(at, faults, "must be an integer") };
                number.try_into().ok().or_else(|| {
                    wrong(at, faults, &format!("must be between {} and {}", <$integer>::MIN, <$integer>::MAX))
                })
            }

            fn of_text(text: String) -> Value {
                number(text)
            }
        }
    )+};
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

impl Decode for f64 {
    fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<f64> {
        value.as_f64().or_else(|| wrong(at, faults, "must be a number"))
    }

    fn of_text(text: String) -> Value {
        number(text)
    }
}

impl Decode for f32 {
    fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<f32> {
        let number = f64::decode(value, at, faults)? as f32;
        if number.is_finite() { Some(number) } else { wrong(at, faults, "is too large a number") }
    }

    fn of_text(text: String) -> Value {
        number(text)
    }
}

/// `null` is none.
impl<T: Decode> Decode for Option<T> {
    fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Option<T>> {
        if value.is_null() { Some(None) } else { T::decode(value, at, faults).map(Some) }
    }

    fn of_text(text: String) -> Value {
        T::of_text(text)
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Box<T>> {
        T::decode(value, at, faults).map(Box::new)
    }
}

impl<T: Decode> Decode for Vec<T> {
    const MANY: bool = true;

    fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Vec<T>> {
        let Value::Array(items) = value else { return wrong(at, faults, "must be a list") };
        let mut list = Vec::with_capacity(items.len());
        let mut whole = true;
        for (index, item) in items.into_iter().enumerate() {
            match T::decode(item, &at.item(index), faults) {
                Some(item) => list.push(item),
                None => whole = false,
            }
        }
        whole.then_some(list)
    }

    fn of_text(text: String) -> Value {
        T::of_text(text)
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<BTreeMap<String, T>> {
        let Value::Object(members) = value else { return wrong(at, faults, "must be an object") };
        let mut map = BTreeMap::new();
        let mut whole = true;
        for (name, member) in members {
            match T::decode(member, &at.member(&name), faults) {
                Some(member) => drop(map.insert(name, member)),
                None => whole = false,
            }
        }
        whole.then_some(map)
    }
}

fn wrong<T>(at: &Pointer<'_>, faults: &mut Faults, detail: &str) -> Option<T> {
    faults.add(at, detail);
    None
}

/// All of them, those of `i64` and of `u64`. `5.0` is none.
pub(super) fn integer(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

/// A parameter is a number where JSON would have it so: `1e3` and `-5`, but neither `NaN` nor `+5`, which a query reads as
/// ` 5`.
fn number(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(number @ Value::Number(_)) if text.trim_ascii().len() == text.len() => number,
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_text_of_a_parameter_is_a_number_as_json_has_it() {
        for (text, number) in [("5", json!(5)), ("-5", json!(-5)), ("1e3", json!(1e3)), ("0.5", json!(0.5))] {
            assert_eq!(i64::of_text(text.to_owned()), number);
        }
        for text in ["", " 5", "5 ", "+5", "05", "NaN", "0x5", "true", "[5]"] {
            assert_eq!(i64::of_text(text.to_owned()), json!(text));
        }
    }
}
