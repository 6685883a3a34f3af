//! Whatever text there is, the compiler says something about it; and what it formats, it formats once.

use proptest::collection::vec;
use proptest::prelude::*;

const GATEWAY: &str = include_str!("../../../order-api/order.api");

/// What contracts are made of, and what is only near it.
const WORDS: &[&str] = &[
    "syntax",
    "=",
    "\"v1\"",
    "info",
    "(",
    ")",
    "import",
    "\"a.api\"",
    "\"b.api\"",
    "type",
    "{",
    "}",
    "[",
    "]",
    "[]",
    "map[string]",
    "map",
    "*",
    "interface{}",
    "any",
    "string",
    "int",
    "int8",
    "float64",
    "bool",
    "A",
    "B",
    "Cc",
    "snake_case",
    "Self",
    "type",
    "struct",
    ",",
    ":",
    "/",
    "-",
    ".",
    ";",
    "@server",
    "@doc",
    "@handler",
    "@other",
    "@",
    "group:",
    "prefix:",
    "jwt: Auth",
    "timeout: 5s",
    "maxBytes: 10",
    "sse: true",
    "middleware: A, B",
    "service",
    "a-api",
    "get",
    "post",
    "/a",
    "/:id",
    "/a/:b/c",
    "returns",
    "(A)",
    "(B)",
    "// c",
    "/* d */",
    "/*",
    "\"",
    "`",
    "`json:\"a\"`",
    "`json:\"b,optional\"`",
    "`path:\"id\"`",
    "`form:\"p,default=5,range=[1:9]\"`",
    "`json:\"c,options=a|b,length=(:3]\"`",
    "`header:\"X\"`",
    "`json:\"\"`",
    "`json:`",
    "é",
    "€",
    "\u{0}",
    "\t",
    "summary: \"x\"",
    "answers: \"200, 404 not_found\"",
    "answers: \"2,,x\"",
    "\\",
];

const SEPARATORS: &[&str] = &[" ", " ", "\n", "\n", "", "\r\n", "\n\n"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bytes(bytes in vec(any::<u8>(), 0..300)) {
        compile(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn letters(text in "[\\s\\S]{0,200}") {
        compile(&text);
    }

    #[test]
    fn soup(words in vec((0..WORDS.len(), 0..SEPARATORS.len()), 0..80)) {
        let words = words.into_iter().map(|(word, separator)| [WORDS[word], SEPARATORS[separator]].concat());
        compile(&words.collect::<String>());
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_contract_with_a_hole_in_it(from in 0..GATEWAY.len(), length in 0..60usize, patch in 0..WORDS.len()) {
        let to = (from + length).min(GATEWAY.len());
        if GATEWAY.is_char_boundary(from) && GATEWAY.is_char_boundary(to) {
            compile(&[&GATEWAY[..from], WORDS[patch], &GATEWAY[to..]].concat());
        }
    }
}

fn compile(text: &str) {
    if let Err(diagnostics) = apigen::parse(&[("a.api", text), ("b.api", text)]) {
        assert!(diagnostics.count() > 0);
        assert!(!diagnostics.to_string().is_empty());
        assert!(!diagnostics.coloured().is_empty());
    }
    if let Ok(once) = apigen::format("a.api", text) {
        let twice = apigen::format("a.api", &once).expect("what was formatted can be read");
        assert_eq!(once, twice, "a second time it is as it was");
        assert_eq!(comments(text), comments(&once), "no comment is lost");
    }
}

/// How often each letter stands in comments, roughly: outside of texts there are no slashes in a row elsewhere.
fn comments(text: &str) -> usize {
    text.matches("// c").count() + text.matches("/* d */").count()
}

#[test]
fn depth_has_a_bound() {
    let deep = |open: &str, count: usize| format!("type A {{ B {}int }}", open.repeat(count));
    for open in ["[]", "*", "map[string]", "{ B ", "map["] {
        let diagnostics = apigen::parse(&[("a.api", &deep(open, 50_000))]).unwrap_err();
        assert!(
            diagnostics.to_string().contains("types stand in each other more than 32 deep"),
            "{diagnostics}"
        );
    }
}

#[test]
fn long_chains_of_structs_need_no_stack() {
    let chain = |line: &str| {
        let structs =
            (0..20_000).map(|n| format!("type T{n} {{\n{}\n}}\n", line.replace('#', &(n + 1).to_string())));
        structs.collect::<String>() + "type T20000 { A int }\nservice a {}"
    };
    assert!(apigen::parse(&[("a.api", &chain("Next T#"))]).is_ok());
    let embedded = apigen::parse(&[("a.api", &chain("T#"))]).unwrap_err();
    assert!(
        embedded.to_string().contains("structs are embedded in each other more than 32 deep"),
        "{embedded}"
    );
}
