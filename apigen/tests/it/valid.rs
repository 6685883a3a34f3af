//! Contracts that are right, and what they mean.

use std::time::Duration;

use apigen::model::{Answers, Contract, Edge, Field, Literal, Presence, Rule, Source, Struct, Type, Usage};

const INT: Type = Type::Integer { bits: 64, signed: true };

#[track_caller]
fn parse(text: &str) -> Contract {
    apigen::parse(&[("a.api", text)]).unwrap()
}

#[track_caller]
fn structure<'a>(contract: &'a Contract, name: &str) -> &'a Struct {
    contract.structs.iter().find(|one| one.name == name).unwrap()
}

#[track_caller]
fn field<'a>(contract: &'a Contract, owner: &str, name: &str) -> &'a Field {
    structure(contract, owner).fields.iter().find(|field| field.name == name).unwrap()
}

/// The one field of a struct.
#[track_caller]
fn one(line: &str) -> Field {
    let contract = parse(&format!("type A {{\n{line}\n}}\nservice x {{}}"));
    structure(&contract, "A").fields[0].clone()
}

#[test]
fn types_are_what_they_are_in_go() {
    let types = [
        ("bool", Type::Bool),
        ("string", Type::Text),
        ("int", INT),
        ("int8", Type::Integer { bits: 8, signed: true }),
        ("uint16", Type::Integer { bits: 16, signed: false }),
        ("uint", Type::Integer { bits: 64, signed: false }),
        ("float32", Type::Float { bits: 32 }),
        ("interface{}", Type::Any),
        ("[]string", Type::List(Box::new(Type::Text))),
        ("[]*int", Type::List(Box::new(Type::Nullable(Box::new(INT))))),
        ("map[string][]bool", Type::Map(Box::new(Type::List(Box::new(Type::Bool))))),
        ("[]A", Type::List(Box::new(Type::Struct("A".to_owned())))),
    ];
    for (written, ty) in types {
        assert_eq!(one(&format!("B {written} `json:\"b\"`")).ty, ty, "{written}");
    }
}

#[test]
fn presence_is_said_by_type_and_tag() {
    assert_eq!(one("B int `json:\"b\"`").presence, Presence::Required);
    assert_eq!(one("B int `json:\"b,optional\"`").presence, Presence::Optional);
    let pointer = one("B *int `json:\"b\"`");
    assert_eq!((pointer.presence, pointer.ty), (Presence::Nullable, INT));
    assert_eq!(one("B *int `json:\"b,optional\"`").presence, Presence::Optional);
    let default = |line: &str| match one(line).presence {
        Presence::Default(literal) => literal,
        other => panic!("{other:?}"),
    };
    assert_eq!(default("B int `json:\"b,default=-5\"`"), Literal::Integer(-5));
    assert_eq!(default("B bool `json:\"b,default=true\"`"), Literal::Bool(true));
    assert_eq!(default("B float64 `json:\"b,default=1e3\"`"), Literal::Number(1000.0));
    assert_eq!(default("B string `json:\"b,default=a b\"`"), Literal::Text("a b".to_owned()));
    assert_eq!(default("B string `json:\"b,default=\"`"), Literal::Text(String::new()));
}

#[test]
fn intervals_have_gos_brackets() {
    let range = |text: &str| one(&format!("B int `json:\"b,range={text}\"`")).rules;
    assert_eq!(range("[1:5]"), [Rule::Integer { from: Some(1), to: Some(5) }]);
    assert_eq!(range("(1:5)"), [Rule::Integer { from: Some(2), to: Some(4) }]);
    assert_eq!(range("[1:5)"), [Rule::Integer { from: Some(1), to: Some(4) }]);
    assert_eq!(range("[1:]"), [Rule::Integer { from: Some(1), to: None }]);
    assert_eq!(range("(:-5]"), [Rule::Integer { from: None, to: Some(-5) }]);
    let range = |text: &str| one(&format!("B float64 `json:\"b,range={text}\"`")).rules;
    assert_eq!(range("(0.5:5]"), [Rule::Number { from: Edge::Excluded(0.5), to: Edge::Included(5.0) }]);
    assert_eq!(range("[:5)"), [Rule::Number { from: Edge::Open, to: Edge::Excluded(5.0) }]);
    let length = one("B string `json:\"b,length=(0:5]\"`").rules;
    assert_eq!(length, [Rule::Length { from: 1, to: Some(5) }]);
}

#[test]
fn rules_of_a_list_are_about_its_items_but_for_the_length() {
    let rules = one("B []int8 `form:\"b,length=[1:3],options=[1,2],range=[0:]\"`").rules;
    let options = Rule::Options(vec!["1".to_owned(), "2".to_owned()]);
    let expected =
        [Rule::Integer { from: Some(0), to: None }, Rule::Length { from: 1, to: Some(3) }, options];
    assert_eq!(rules, expected);
}

#[test]
fn a_field_without_a_tag_is_called_as_in_the_contract() {
    let contract = parse("type A {\nLow, High int\nMax int `json:\",optional\"`\n}\nservice x {}");
    let wires: Vec<&str> = structure(&contract, "A").fields.iter().map(|field| field.wire.as_str()).collect();
    assert_eq!(wires, ["Low", "High", "Max"]);
    assert_eq!(field(&contract, "A", "Max").presence, Presence::Optional);
}

#[test]
fn comments_become_docs() {
    let contract = parse(
        "// not this\n\n// An order.\n// Of a customer.\ntype Order {\n// not this either\n\nA int `json:\"a\"` // behind\n/*\n * Several\n *\n * lines.\n */\nB int `json:\"b\"`\n// above\nC int `json:\"c\"` // and not behind\n}\nservice x {}",
    );
    assert_eq!(structure(&contract, "Order").doc, ["An order.", "Of a customer."]);
    assert_eq!(field(&contract, "Order", "A").doc, ["behind"]);
    assert_eq!(field(&contract, "Order", "B").doc, ["Several", "", "lines."]);
    assert_eq!(field(&contract, "Order", "C").doc, ["above"]);
}

#[test]
fn structs_without_a_name_are_called_after_their_place() {
    let contract = parse(
        "type Order {\nLines []{\nProduct {\nID string `json:\"id\"`\n} `json:\"product\"`\n} `json:\"lines\"`\n}\ntype Other {}\nservice x {}",
    );
    let names: Vec<&str> = contract.structs.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Order", "OrderLines", "OrderLinesProduct", "Other"]);
    let lines = &field(&contract, "Order", "Lines").ty;
    assert_eq!(*lines, Type::List(Box::new(Type::Struct("OrderLines".to_owned()))));
}

#[test]
fn pointers_on_the_way_back_to_a_struct_are_boxed() {
    let contract = parse(
        "type Tree {\nLeft *Tree `json:\"left\"`\nLeaf Leaf `json:\"leaf\"`\nAll []Tree `json:\"all\"`\n}\ntype Leaf {\nRoot *Tree `json:\"root,optional\"`\nOther *Other `json:\"other\"`\n}\ntype Other {}\nservice x {}",
    );
    let boxed = |owner, name| field(&contract, owner, name).boxed;
    assert!(boxed("Tree", "Left") && boxed("Leaf", "Root"));
    assert!(!boxed("Tree", "Leaf") && !boxed("Tree", "All") && !boxed("Leaf", "Other"));
}

#[test]
fn usage_reaches_inner_structs() {
    let contract = parse(
        "type In {\nBoth []Both `json:\"both\"`\nPage\n}\ntype Page {\nSize int `form:\"size\"`\n}\ntype Both {}\ntype Out {\nBoth map[string]*Both `json:\"both\"`\n}\nservice x {\n@handler A\npost /a (In) returns ([]*Out)\n}",
    );
    let usage = |name| structure(&contract, name).usage;
    assert_eq!(usage("In"), Usage { in_requests: true, in_answers: false });
    assert_eq!(usage("Out"), Usage { in_requests: false, in_answers: true });
    assert_eq!(usage("Both"), Usage { in_requests: true, in_answers: true });
    assert_eq!(usage("Page"), Usage::default());
    assert_eq!(field(&contract, "In", "Size").source, Source::Form);
}

#[test]
fn routes_have_what_their_block_says() {
    let contract = parse(
        "type A { ID string `path:\"order-id\"` }\n@server (\ngroup: orderAdmin\nprefix: \"/v1/\"\njwt: Auth\nmiddleware: AdminOnly,\nAudit\ntimeout: 1m500ms\nmaxBytes: 10\n)\nservice order-api {\n@doc \"One\"\n@handler GetURL get /orders/:order-id/ (A) returns (*A2);\n}\nservice order-api {\n@doc (\nsummary: `two\n lines`\nanswers: \"200, 404 not_found gone, 304\"\n)\n@handler Root\nhead /\n}\ntype A2 {}\n@server (sse: true)\nservice order-api {\n@handler Watch\nget /.well-known/watch_it returns (string)\n}",
    );
    let [first, second, third] = contract.routes.as_slice() else { panic!("three routes") };
    assert_eq!((first.group.as_str(), first.handler.as_str()), ("order_admin", "GetURL"));
    assert_eq!((first.method.as_str(), first.pattern.as_str()), ("GET", "/v1/orders/{order-id}"));
    assert_eq!((first.request.as_deref(), &first.returns), (Some("A"), &Some(Type::Struct("A2".to_owned()))));
    assert_eq!(first.summary, ["One"]);
    assert_eq!(first.middleware, ["AdminOnly", "Audit"]);
    assert_eq!((first.timeout, first.max_bytes), (Some(Duration::from_millis(60_500)), Some(10)));
    assert!(first.jwt && !first.sse);
    assert_eq!((second.group.as_str(), second.pattern.as_str()), ("order_api", "/"));
    assert_eq!(second.summary, ["two", "lines"]);
    let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    let answers = [
        Answers { status: 200, codes: codes(&[]) },
        Answers { status: 404, codes: codes(&["not_found", "gone"]) },
        Answers { status: 304, codes: codes(&[]) },
    ];
    assert_eq!(second.answers, answers);
    assert!(!second.jwt && second.timeout.is_none() && second.returns.is_none());
    assert!(third.sse && third.pattern == "/.well-known/watch_it");
}

#[test]
fn infos_are_texts_with_or_without_quotes() {
    let contract =
        parse("info (\na: some words (v1), and 'more' // not this\nb: \"c\\\"d\"\ne: `f\ng`)\nservice x {}");
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let expected = [pair("a", "some words (v1), and 'more'"), pair("b", "c\"d"), pair("e", "f\ng")];
    assert_eq!(contract.info, expected);
}

#[test]
fn methods_that_differ_share_a_path() {
    let contract = parse("service x {\n@handler A\nget /a\n@handler B\nput /a\n@handler C\ndelete /a/\n}");
    assert!(contract.routes.iter().all(|route| route.pattern == "/a"));
}

#[test]
fn each_file_is_read_once_and_before_what_imports_it() {
    let files = [
        (
            "main.api",
            "import (\n\"lib/b.api\"\n\"lib/c.api\"\n)\ninfo (\nof: main\n)\ntype A { B B `json:\"b\"` }\nservice x {}",
        ),
        ("lib/b.api", "import \"../lib/./d.api\"\ntype B { D D `json:\"d\"` }"),
        (
            "lib/c.api",
            "syntax = \"v1\"\nimport \"d.api\"\ninfo (\nof: c\n)\ntype C { D D `json:\"d\"` }\nservice x {\n@handler C\nget /c returns (C)\n}",
        ),
        ("lib/d.api", "type D {}"),
    ];
    let contract = apigen::parse(&files).unwrap();
    let names: Vec<&str> = contract.structs.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["D", "B", "C", "A"]);
    assert_eq!(contract.info, [("of".to_owned(), "main".to_owned())]);
    assert_eq!(contract.routes.len(), 1);
    let files: Vec<_> = contract.files.iter().map(|file| file.display().to_string()).collect();
    assert_eq!(files, ["main.api", "lib/b.api", "lib/d.api", "lib/c.api"]);
}

#[test]
fn the_disk_knows_a_file_under_all_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("main.api", "import \"types.api\"\nimport \"link.api\"\nservice x {}");
    write("types.api", "type A {}");
    std::os::unix::fs::symlink("types.api", folder.path().join("link.api")).unwrap();
    let contract = apigen::load(folder.path().join("main.api")).unwrap();
    assert_eq!((contract.structs.len(), contract.files.len()), (1, 2));
}

#[test]
fn the_example_of_the_readme_is_right() {
    let readme = include_str!("../../README.md");
    let begin = readme.find("syntax =").unwrap();
    let example = &readme[begin..begin + readme[begin..].find("```").unwrap()];
    let files = [("a.api", example), ("money.api", "type Money {}")];
    assert_eq!(apigen::parse(&files).unwrap().routes.len(), 1);
    assert_eq!(apigen::format("a.api", example).unwrap(), example);
}
