//! Contracts that are wrong, each beside the exact text that says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Tests run in the crate's folder, so that messages have the same paths everywhere.
const FOLDER: &str = "tests/it/wrong";

#[test]
fn each_is_refused_in_its_own_words() {
    let mut failures = Vec::new();
    let contracts = files("api");
    assert!(contracts.len() >= 40, "there were more of them");
    for contract in &contracts {
        let said = match apigen::load(contract) {
            Ok(_) => "nothing is wrong with it".to_owned(),
            Err(diagnostics) => format!("{diagnostics}\n"),
        };
        let expected = fs::read_to_string(contract.with_extension("err"));
        let expected = expected.unwrap_or_else(|error| format!("cannot read it: {error}\n"));
        if said != expected {
            failures.push(format!("{}\n{}", contract.display(), difference(&expected, &said)));
        }
    }
    assert!(failures.is_empty(), "{} differ (- expected, + said)\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn no_text_is_left_over() {
    let stems =
        |extension| files(extension).into_iter().map(|file| file.with_extension("")).collect::<BTreeSet<_>>();
    assert_eq!(stems("err"), stems("api"));
}

#[test]
fn a_missing_contract_is_named() {
    let diagnostics = apigen::load(Path::new(FOLDER).join("none.api")).unwrap_err();
    let expected = "error: cannot read tests/it/wrong/none.api: No such file or directory (os error 2)";
    assert_eq!(diagnostics.to_string(), expected);
}

#[test]
fn more_faults_than_anybody_reads_are_counted() {
    let fields: String = (0..130).map(|index| format!("F{index} strin\n")).collect();
    let diagnostics =
        apigen::parse(&[("a.api", &format!("type A {{\n{fields}}}\nservice x {{}}"))]).unwrap_err();
    assert_eq!(diagnostics.count(), 130);
    assert!(diagnostics.to_string().ends_with("and 30 more"));
}

fn files(extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|of| of == extension)).collect();
    files.sort();
    files
}

/// Line by line; both are short, and mostly the same.
fn difference(expected: &str, said: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), said.lines().collect());
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old[start..].iter().rev().zip(new[start..].iter().rev());
    let end = rest.take_while(|(old, new)| old == new).count();
    let lines = |sign: &str, lines: &[&str]| {
        lines[start..lines.len() - end].iter().map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    format!("  … {start} lines as expected\n{}{}", lines("-", &old), lines("+", &new))
}
