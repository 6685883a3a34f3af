//! The command, as a person runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SOUND: &str =
    "type A {\n\tID string `path:\"id\"`\n}\n\nservice x {\n\t@handler GetA\n\tget /a/:id (A)\n}\n";

fn apigen(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_apigen")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn check_tells_of_each_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sound.api"), SOUND).unwrap();
    fs::write(folder.path().join("wrong.api"), SOUND.replace("string", "strin")).unwrap();
    let sound = apigen(folder.path(), &["check", "sound.api"]);
    assert!(sound.status.success() && sound.stderr.is_empty() && sound.stdout.is_empty());
    let wrong = apigen(folder.path(), &["check", "wrong.api", "sound.api"]);
    assert_eq!(wrong.status.code(), Some(1));
    let said = text(&wrong.stderr);
    assert!(said.starts_with("error: unknown type `strin`\n --> wrong.api:2:5\n"), "{said}");
    assert!(said.contains("did you mean `string`?"), "{said}");
}

#[test]
fn format_writes_and_its_check_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.api");
    let sloppy = SOUND.replace('\t', "    ");
    fs::write(&file, &sloppy).unwrap();
    let check = apigen(folder.path(), &["format", "--check", "a.api"]);
    assert_eq!((check.status.code(), text(&check.stdout)), (Some(1), "a.api\n".to_owned()));
    assert_eq!(fs::read_to_string(&file).unwrap(), sloppy);
    assert!(apigen(folder.path(), &["format", "a.api"]).status.success());
    assert_eq!(fs::read_to_string(&file).unwrap(), SOUND);
    assert!(apigen(folder.path(), &["format", "--check", "a.api"]).status.success());
}

#[test]
fn format_leaves_alone_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.api");
    fs::write(&file, "type A {").unwrap();
    let output = apigen(folder.path(), &["format", "a.api"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: expected `}`, found the end of the file"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "type A {");
}

#[test]
fn show_prints_routes_and_types() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.api"), SOUND).unwrap();
    let routes = apigen(folder.path(), &["show", "routes", "a.api"]);
    let expected =
        "METHOD  PATTERN  HANDLER   REQUEST  RETURNS  NOTES\nGET     /a/{id}  x::get_a  A        -\n";
    assert_eq!(text(&routes.stdout), expected);
    let types = apigen(folder.path(), &["show", "types", "a.api"]);
    assert_eq!(text(&types.stdout), "A (in requests)\n  ID  string  path id\n");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [["check", "none.api"], ["format", "none.api"]] {
        let output = apigen(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            text(&output.stderr).contains("cannot read none.api: No such file"),
            "{}",
            text(&output.stderr)
        );
    }
}
