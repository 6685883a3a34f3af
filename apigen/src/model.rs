//! What a contract means, once everything in it has been checked: names resolved, imports joined, embedded structs
//! flattened, tags understood. The generator and every table made from a contract read this, and no syntax.

use std::path::PathBuf;
use std::time::Duration;

/// A whole contract, imports included.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// As `service` names it.
    pub service: String,
    pub info: Vec<(String, String)>,
    /// In the order of the text; what is imported stands before what imports it.
    pub structs: Vec<Struct>,
    /// In the order of the text.
    pub routes: Vec<Route>,
    /// Every file that was read, the contract's own first: a build script runs again where one of them changed.
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Struct {
    /// In camel case, as in the contract.
    pub name: String,
    /// The comment above it, a line each, without its slashes.
    pub doc: Vec<String>,
    /// Those of embedded structs stand where the struct was embedded.
    pub fields: Vec<Field>,
    pub usage: Usage,
}

/// What a struct is used for, by itself or inside another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    pub in_requests: bool,
    pub in_answers: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// In camel case, as in the contract: `PageSize`, `ID`, `IfNoneMatch`.
    pub name: String,
    /// The comment above it, or else the one behind it.
    pub doc: Vec<String>,
    pub source: Source,
    /// The name on the wire: a JSON member, a parameter, a header.
    pub wire: String,
    /// Without the pointer of `*T`: that is `presence`.
    pub ty: Type,
    pub presence: Presence,
    pub rules: Vec<Rule>,
    /// The struct holds itself through this field, a `*T`, with no list or map between: in Rust this takes a `Box`.
    pub boxed: bool,
}

/// Where a field of a request comes from. In answers all are [`Source::Json`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    Json,
    Path,
    Form,
    Header,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Presence {
    Required,
    /// `optional`: an `Option`, left out of an answer where it is `None`.
    Optional,
    /// `*T` without `optional`: an `Option` that an answer shows as `null`. In a request as `Optional`.
    Nullable,
    /// `default=`, which fits the type and the rules.
    Default(Literal),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Bool(bool),
    Integer(i128),
    Number(f64),
    Text(String),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    Bool,
    Text,
    /// Bits, and whether it is signed. `int` and `uint` have 64.
    Integer {
        bits: u8,
        signed: bool,
    },
    /// 32 or 64.
    Float {
        bits: u8,
    },
    /// `interface{}`: whatever JSON there is.
    Any,
    List(Box<Type>),
    /// `map[string]T`; JSON has no other keys.
    Map(Box<Type>),
    /// `*T` inside a list or map: an item that may be `null`.
    Nullable(Box<Type>),
    /// The name of one of [`Contract::structs`]. A nested anonymous struct has a name made of where it stands.
    Struct(String),
}

/// A rule of a tag, beside the type. For a list all but `Length` hold for each item.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// `range=` on an integer; both ends are included, and those left out are the type's.
    Integer { from: Option<i128>, to: Option<i128> },
    /// `range=` on a float.
    Number { from: Edge, to: Edge },
    /// `length=[1:100]`: characters of a text, items of a list, members of a map.
    Length { from: usize, to: Option<usize> },
    /// `options=a|b`.
    Options(Vec<String>),
    /// `format=email`: a name of `shared::format::Format`, in lower case.
    Format(String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    Open,
    Included(f64),
    Excluded(f64),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// `group:`, in snake case; the service's name where there is none.
    pub group: String,
    /// In camel case, as `@handler` has it.
    pub handler: String,
    pub summary: Vec<String>,
    /// `answers:` of its `@doc`: what the route can answer by itself.
    pub answers: Vec<Answers>,
    /// Upper case: `GET`.
    pub method: String,
    /// With the prefix, and in axum's form: `/v1/orders/{id}`. A path that would end in a slash does not.
    pub pattern: String,
    /// The name of a struct.
    pub request: Option<String>,
    pub returns: Option<Type>,
    pub jwt: bool,
    pub sse: bool,
    /// In camel case, outermost first.
    pub middleware: Vec<String>,
    pub timeout: Option<Duration>,
    pub max_bytes: Option<u64>,
}

/// A status, and the `code`s that a problem of this status can have: `409 out_of_stock price_changed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    pub status: u16,
    pub codes: Vec<String>,
}
