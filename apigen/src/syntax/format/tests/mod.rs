//! Printing and parsing undo each other.

mod trees;

use proptest::prelude::*;

use super::print;
use crate::diagnostics::{Diagnostics, Faults};
use crate::syntax::ast::File;
use crate::syntax::parser::parse;
use crate::syntax::source::Sources;

fn read(text: &str) -> File {
    let mut sources = Sources::default();
    let mut faults = Faults::default();
    let file = sources.add("test.api".as_ref(), text.to_owned());
    let tree = parse(file, text, &mut faults);
    assert!(faults.is_empty(), "{text}\n{}", Diagnostics::new(sources, faults));
    tree
}

proptest! {
    #[test]
    fn a_tree_that_is_printed_is_read_as_the_same_tree(tree in trees::files()) {
        let text = print(&tree);
        prop_assert_eq!(&read(&text), &tree, "{}", text);
    }
}

#[track_caller]
fn becomes(text: &str, expected: &str) {
    let formatted = print(&read(text));
    assert_eq!(formatted, expected);
    assert_eq!(print(&read(&formatted)), expected, "a second time");
}

#[test]
fn columns_end_at_blank_lines_and_go_on_over_comments() {
    becomes(
        "type A {\nID string `json:\"id\"`\n// why\nPageSize int32 `json:\"page_size\"`\n\n\n\nB []string\nPage\nCc map[string]int `json:\"cc\"`}",
        concat!(
            "type A {\n",
            "\tID       string `json:\"id\"`\n",
            "\t// why\n",
            "\tPageSize int32  `json:\"page_size\"`\n",
            "\n",
            "\tB  []string\n",
            "\tPage\n",
            "\tCc map[string]int `json:\"cc\"`\n",
            "}\n",
        ),
    );
}

#[test]
fn comments_in_the_midst_move_above_and_those_behind_stay() {
    becomes(
        "type /* one */ A { // two\n  B /* three */ int // four\n  // five\n} // six\n// seven",
        concat!(
            "/* one */\n",
            "type A {\n",
            "\t// two\n",
            "\n",
            "\t/* three */\n",
            "\tB int // four\n",
            "\t// five\n",
            "} // six\n",
            "// seven\n",
        ),
    );
}

#[test]
fn declarations_stand_apart_and_imports_need_not() {
    becomes(
        "syntax=\"v1\"\nimport \"a.api\"\nimport \"b.api\"\ninfo(a:b\nlonger: \"c\")\n@server(prefix:/v1\nmiddleware: A,B)\n\nservice a-b{@handler X\nget /x(A)returns(*B);\n@doc \"y\"\n@handler Y get /}",
        concat!(
            "syntax = \"v1\"\n",
            "\n",
            "import \"a.api\"\n",
            "import \"b.api\"\n",
            "\n",
            "info (\n",
            "\ta:      b\n",
            "\tlonger: \"c\"\n",
            ")\n",
            "\n",
            "@server (\n",
            "\tprefix:     /v1\n",
            "\tmiddleware: A, B\n",
            ")\n",
            "service a-b {\n",
            "\t@handler X\n",
            "\tget /x (A) returns (*B)\n",
            "\n",
            "\t@doc \"y\"\n",
            "\t@handler Y\n",
            "\tget /\n",
            "}\n",
        ),
    );
}

#[test]
fn comments_behind_are_a_column() {
    becomes(
        "type A {\nB int // b\nLonger string `json:\"c\"` // c\nD bool\n\nE int // e\n}",
        concat!(
            "type A {\n",
            "\tB      int               // b\n",
            "\tLonger string `json:\"c\"` // c\n",
            "\tD      bool\n",
            "\n",
            "\tE int // e\n",
            "}\n",
        ),
    );
}

#[test]
fn structs_in_structs_are_indented() {
    becomes(
        "type A{B []{\nC int\n} `json:\"b\"`\nLonger int}",
        "type A {\n\tB []{\n\t\tC int\n\t} `json:\"b\"`\n\tLonger int\n}\n",
    );
}

#[test]
fn line_breaks_of_other_systems_are_line_breaks() {
    becomes("// a\r\ntype A {\r\n\tB int\r\n}\r\n", "// a\ntype A {\n\tB int\n}\n");
    becomes("\u{feff}type A {}", "type A {}\n");
    becomes("\n\n", "");
}
