//! Arbitrary trees, as the parser would make them: blank lines only where there is a choice.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::syntax::ast::*;
use crate::syntax::format::printer::Space;
use crate::syntax::span::{FileId, Located, Span};

pub(super) fn files() -> impl Strategy<Value = File> {
    let decls = vec(decl(), 0..5).prop_map(|mut decls| {
        for index in 0..decls.len() {
            let space = crate::syntax::format::decls::space_between(&decls, index);
            set_decl_space(&mut decls[index], space);
        }
        decls
    });
    (decls, vec(comment(), 0..3)).prop_map(|(decls, mut end)| {
        set_comments_space(&mut end, if decls.is_empty() { Space::None } else { Space::AsWritten });
        File { decls, end }
    })
}

fn decl() -> impl Strategy<Value = Decl> {
    prop_oneof![
        item(literal(false)).prop_map(Decl::Syntax),
        item(pairs(info_value()))
            .prop_map(|item| Decl::Info(map(item, |pairs| Info { keyword: at(()), pairs }))),
        item(import()).prop_map(Decl::Import),
        item(types()).prop_map(Decl::Types),
        service().prop_map(Decl::Service),
    ]
}

fn import() -> impl Strategy<Value = Import> {
    prop_oneof![
        literal(false).prop_map(Import::One),
        block(item(quoted()), set_item_space, Space::AsWritten).prop_map(Import::Group),
    ]
}

fn types() -> impl Strategy<Value = Types> {
    prop_oneof![
        type_def().prop_map(Types::One),
        block(item(type_def()), set_item_space, Space::Blank).prop_map(Types::Group),
    ]
}

fn type_def() -> impl Strategy<Value = TypeDef> {
    (name(), ty()).prop_map(|(name, ty)| TypeDef { name, ty })
}

fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        4 => word().prop_map(TypeKind::Name),
        1 => Just(TypeKind::Interface),
    ];
    leaf.prop_map(at).prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|to| TypeKind::Pointer(Box::new(to))),
            inner.clone().prop_map(|of| TypeKind::List(Box::new(of))),
            (inner.clone(), inner.clone()).prop_map(|(key, of)| TypeKind::Map(Box::new(key), Box::new(of))),
            block(item(field(inner)), set_item_space, Space::AsWritten).prop_map(TypeKind::Struct),
        ]
        .prop_map(at)
    })
}

fn field(ty: impl Strategy<Value = Type>) -> impl Strategy<Value = Field> {
    prop_oneof![
        4 => (vec(name(), 1..3), ty, of(tag())).prop_map(|(names, ty, tag)| Field::Named { names, ty, tag }),
        1 => (any::<bool>(), name(), of(tag()))
            .prop_map(|(pointer, name, tag)| Field::Embedded { pointer, name, tag }),
    ]
}

fn service() -> impl Strategy<Value = Service> {
    let body = (service_name(), block(route(), set_route_space, Space::Blank))
        .prop_map(|(name, routes)| ServiceBody { name, routes });
    (of(item(pairs(server_value()))), item(body)).prop_map(|(server, mut body)| {
        if server.is_some() {
            set_item_space(&mut body, Space::None);
        }
        Service { server, body }
    })
}

fn route() -> impl Strategy<Value = Route> {
    let doc = prop_oneof![literal(false).prop_map(Doc::Line), pairs(literal_value()).prop_map(Doc::Group)];
    (of(item(doc)), item(name()), item(endpoint())).prop_map(|(doc, mut handler, mut endpoint)| {
        if doc.is_some() {
            set_item_space(&mut handler, Space::None);
        }
        set_item_space(&mut endpoint, Space::None);
        Route { doc, handler, endpoint }
    })
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let method =
        prop_oneof![Just("get"), Just("post"), Just("delete")].prop_map(|method| at(method.to_owned()));
    let path = "(/|(/:?[a-z0-9.-]{1,5}){1,3}/?)".prop_map(at);
    (method, path, of(ty()), of(ty())).prop_map(|(method, path, request, returns)| Endpoint {
        method,
        path,
        request,
        returns,
    })
}

fn pairs(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Pairs> {
    let pair = (name(), value).prop_map(|(key, value)| Pair { key, value });
    block(item(pair), set_item_space, Space::AsWritten)
}

fn info_value() -> impl Strategy<Value = Value> {
    let line = "[a-zé0-9][a-z0-9 .,!?'€=#-]{0,10}[a-z(]?".prop_map(|line| {
        let line = line.trim().to_owned();
        if line.ends_with('(') { format!("{line}x)") } else { line }
    });
    prop_oneof![literal_value(), line.prop_map(|line| Value::Line(at(line)))]
}

fn server_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        "[A-Z][a-z]{0,5}",
        "[1-9][0-9]{0,2}(ms|s|m)?",
        "(/:?[a-z]{1,4}){1,3}",
        "[a-z]{1,4}(-[a-z0-9]{1,3}){0,2}",
    ];
    prop_oneof![literal_value(), vec(word.prop_map(at), 1..3).prop_map(Value::Words)]
}

fn literal_value() -> impl Strategy<Value = Value> {
    literal(true).prop_map(Value::Literal)
}

fn literal(several_lines: bool) -> impl Strategy<Value = Literal> {
    let raw = if several_lines { "`[^`]{0,12}`" } else { "`[^`\n]{0,12}`" };
    prop_oneof![quoted(), raw.prop_map(at)]
}

fn quoted() -> impl Strategy<Value = Literal> {
    r#""([^"\\\n]|\\["\\nt]){0,10}""#.prop_map(at)
}

fn tag() -> impl Strategy<Value = Tag> {
    prop_oneof![r#"json:"[a-z]{1,6}(,optional)?""#, "[^`\n]{0,12}"].prop_map(at)
}

fn service_name() -> impl Strategy<Value = Name> {
    (word(), "(-[a-z0-9]{1,4}){0,2}").prop_map(|(first, rest)| at(format!("{first}{rest}")))
}

fn name() -> impl Strategy<Value = Name> {
    word().prop_map(at)
}

/// None of those that begin something.
fn word() -> impl Strategy<Value = String> {
    const TAKEN: [&str; 9] =
        ["syntax", "info", "import", "type", "service", "map", "interface", "struct", "returns"];
    "[A-Za-zé_][A-Za-z0-9_]{0,7}".prop_filter("a keyword", |word| !TAKEN.contains(&word.as_str()))
}

fn block<T: std::fmt::Debug>(
    item: impl Strategy<Value = T>,
    set_space: fn(&mut T, Space),
    between: Space,
) -> impl Strategy<Value = Block<T>> {
    (vec(item, 0..4), vec(comment(), 0..2)).prop_map(move |(mut items, mut end)| {
        for (index, item) in items.iter_mut().enumerate() {
            set_space(item, if index == 0 { Space::None } else { between });
        }
        set_comments_space(&mut end, if items.is_empty() { Space::None } else { Space::AsWritten });
        Block { items, end }
    })
}

fn item<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Item<T>> {
    let behind = (vec(block_comment(), 0..2), of(line_comment())).prop_map(|(mut behind, line)| {
        behind.extend(line);
        behind.iter_mut().for_each(|comment| comment.blank_before = false);
        behind
    });
    let rarely = prop_oneof![3 => Just(Vec::new()).boxed(), 1 => behind.boxed()];
    (vec(comment(), 0..3), any::<bool>(), value, rarely)
        .prop_map(|(above, blank_before, value, behind)| Item { above, blank_before, value, behind })
}

fn comment() -> impl Strategy<Value = Comment> {
    prop_oneof![line_comment(), block_comment()]
}

fn line_comment() -> impl Strategy<Value = Comment> {
    ("[^\n]{0,10}", any::<bool>()).prop_map(|(text, blank_before)| Comment {
        text: format!("//{text}").trim_end().to_owned(),
        blank_before,
    })
}

fn block_comment() -> impl Strategy<Value = Comment> {
    ("[^*/]{0,10}", any::<bool>()).prop_map(|(text, blank_before)| {
        let text = format!("/*{text}*/");
        let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
        Comment { text: lines.join("\n"), blank_before }
    })
}

fn set_decl_space(decl: &mut Decl, space: Space) {
    match decl {
        Decl::Syntax(item) => set_item_space(item, space),
        Decl::Info(item) => set_item_space(item, space),
        Decl::Import(item) => set_item_space(item, space),
        Decl::Types(item) => set_item_space(item, space),
        Decl::Service(Service { server: Some(server), .. }) => set_item_space(server, space),
        Decl::Service(service) => set_item_space(&mut service.body, space),
    }
}

fn set_route_space(route: &mut Route, space: Space) {
    match &mut route.doc {
        Some(doc) => set_item_space(doc, space),
        None => set_item_space(&mut route.handler, space),
    }
}

fn set_item_space<T>(item: &mut Item<T>, space: Space) {
    if item.above.is_empty() {
        set(&mut item.blank_before, space);
    } else {
        set_comments_space(&mut item.above, space);
    }
}

fn set_comments_space(comments: &mut [Comment], space: Space) {
    if let Some(first) = comments.first_mut() {
        set(&mut first.blank_before, space);
    }
}

fn set(blank_before: &mut bool, space: Space) {
    match space {
        Space::None => *blank_before = false,
        Space::Blank => *blank_before = true,
        Space::AsWritten => {}
    }
}

fn map<T, U>(item: Item<T>, map: impl FnOnce(T) -> U) -> Item<U> {
    Item { above: item.above, blank_before: item.blank_before, value: map(item.value), behind: item.behind }
}

/// Trees are compared without their places.
fn at<T>(value: T) -> Located<T> {
    Located::new(value, Span { file: FileId(0), start: 0, end: 0 })
}
