//! The tree of one file, as it was written: nothing is resolved, and every comment is kept.

use super::span::Located;

pub(crate) type Name = Located<String>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct File {
    pub(crate) decls: Vec<Decl>,
    /// After the last declaration.
    pub(crate) end: Vec<Comment>,
}

/// Something that has lines of its own, with the comments around it. A comment in the midst of it is moved above it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item<T> {
    pub(crate) above: Vec<Comment>,
    /// Between it and what is above it, be it a comment.
    pub(crate) blank_before: bool,
    pub(crate) value: T,
    /// On the line where it ends.
    pub(crate) behind: Vec<Comment>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comment {
    /// With its `//` or `/* */`.
    pub(crate) text: String,
    pub(crate) blank_before: bool,
}

/// What stands in brackets, an item a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block<T> {
    pub(crate) items: Vec<T>,
    /// After the last item.
    pub(crate) end: Vec<Comment>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decl {
    Syntax(Item<Literal>),
    Info(Item<Info>),
    Import(Item<Import>),
    Types(Item<Types>),
    Service(Service),
}

/// A text as it is written, with its quotes or backquotes. The span is that of all of it.
pub(crate) type Literal = Located<String>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Info {
    /// The word `info`.
    pub(crate) keyword: Located<()>,
    pub(crate) pairs: Pairs,
}

pub(crate) type Pairs = Block<Item<Pair>>;

/// `key: value`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub(crate) key: Name,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Literal(Literal),
    /// Separated by commas: `AdminOnly, Audit`, `/v1/users`, `5s`. At least one.
    Words(Vec<Name>),
    /// Whatever stands on the line of an `info` key.
    Line(Name),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Import {
    One(Literal),
    Group(Block<Item<Literal>>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Types {
    One(TypeDef),
    Group(Block<Item<TypeDef>>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TypeDef {
    pub(crate) name: Name,
    /// A struct, or what analysis refuses.
    pub(crate) ty: Type,
}

pub(crate) type Type = Located<TypeKind>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TypeKind {
    Name(String),
    Pointer(Box<Type>),
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Struct(Block<Item<Field>>),
    /// `interface{}`
    Interface,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    Named {
        /// At least one.
        names: Vec<Name>,
        ty: Type,
        tag: Option<Tag>,
    },
    Embedded {
        pointer: bool,
        name: Name,
        tag: Option<Tag>,
    },
}

/// What stands between the backquotes, and the span of just that.
pub(crate) type Tag = Located<String>;

/// One block of routes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Service {
    pub(crate) server: Option<Item<Pairs>>,
    pub(crate) body: Item<ServiceBody>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceBody {
    pub(crate) name: Name,
    pub(crate) routes: Block<Route>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    pub(crate) doc: Option<Item<Doc>>,
    pub(crate) handler: Item<Name>,
    pub(crate) endpoint: Item<Endpoint>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Doc {
    Line(Literal),
    Group(Pairs),
}

/// `post /orders (PlaceOrderReq) returns (Order)`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Endpoint {
    pub(crate) method: Name,
    pub(crate) path: Name,
    pub(crate) request: Option<Type>,
    pub(crate) returns: Option<Type>,
}

impl Types {
    /// Each with the comments above it.
    pub(crate) fn defs(item: &Item<Types>) -> Vec<(&TypeDef, Vec<String>)> {
        match &item.value {
            Types::One(def) => vec![(def, item.doc())],
            Types::Group(group) => group.items.iter().map(|item| (&item.value, item.doc())).collect(),
        }
    }
}

impl<T> Item<T> {
    /// The comment right above it, a line each, without its slashes.
    pub(crate) fn doc(&self) -> Vec<String> {
        if self.blank_before {
            return Vec::new();
        }
        let first = self.above.iter().rposition(|comment| comment.blank_before).unwrap_or(0);
        self.above[first..].iter().flat_map(Comment::lines).collect()
    }
}

impl Comment {
    pub(crate) fn lines(&self) -> Vec<String> {
        if let Some(line) = self.text.strip_prefix("//") {
            return vec![line.strip_prefix(' ').unwrap_or(line).to_owned()];
        }
        let text = self.text.strip_prefix("/*").unwrap_or(&self.text);
        let text = text.strip_suffix("*/").unwrap_or(text);
        let lines = text.lines().map(|line| {
            let line = line.trim();
            line.strip_prefix("* ").or(line.strip_prefix('*')).unwrap_or(line).to_owned()
        });
        let lines: Vec<String> = lines.collect();
        let filled = |line: &String| !line.is_empty();
        let first = lines.iter().position(filled).unwrap_or(lines.len());
        let last = lines.iter().rposition(filled).map_or(first, |last| last + 1);
        lines[first..last].to_vec()
    }
}
