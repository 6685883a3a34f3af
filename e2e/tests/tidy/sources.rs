//! The sources: documented files of a readable length, and words that must not occur.

use std::path::Path;

use super::{files, members, no_faults, root, shown};

const LONGEST: usize = 400;

fn sources() -> Vec<(String, String)> {
    let all = members().into_iter().flat_map(|member| files(&root().join(member), ".rs"));
    all.map(|path| (shown(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn every_file_says_what_it_is() {
    let bare = sources().into_iter().filter(|(_, text)| !text.starts_with("//!"));
    no_faults(bare.map(|(path, _)| format!("{path} must begin with `//!`")).collect());
}

/// Tests apart. A file that must be longer says why, in a line that begins with `// Long:`.
#[test]
fn no_file_needs_scrolling_to_be_understood() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let in_tests = path.split('/').any(|folder| folder == "tests");
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
        let lines = code.lines().count();
        if !in_tests && lines > LONGEST && !text.lines().any(|line| line.starts_with("// Long:")) {
            faults.push(format!(
                "{path} has {lines} lines without its tests; cut it, or say why: `// Long: …`"
            ));
        }
    }
    no_faults(faults);
}

/// `shared` knows no user, order or product; a service knows its neighbours by their contracts alone.
#[test]
fn the_framework_names_no_service() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        if !path.starts_with("shared/src/") && !path.starts_with("apigen/src/") {
            continue;
        }
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
        for (number, line) in (1..).zip(code.lines()) {
            for service in ["user", "order", "product"] {
                let names = [format!("{service}-rpc"), format!("{service}_rpc"), format!("proto::{service}")];
                if names.iter().any(|name| line.contains(name.as_str())) {
                    faults.push(format!("{path}:{number} names the service of {service}s"));
                }
            }
        }
    }
    no_faults(faults);
}

#[test]
fn no_lint_is_silenced_for_good() {
    let mut faults = Vec::new();
    // In two parts, so that this file is not one of its own finds.
    let silences = [concat!("#[", "allow("), concat!("#![", "allow("), concat!("#[", "ignore")];
    for (path, text) in sources() {
        for (number, line) in (1..).zip(text.lines()) {
            if silences.iter().any(|silence| line.trim_start().starts_with(silence)) {
                faults
                    .push(format!("{path}:{number}: write #[expect(…, reason = \"…\")], and ignore no test"));
            }
        }
    }
    no_faults(faults);
}

/// A table's schema exists for every database that the service runs on.
#[test]
fn migrations_are_numbered_without_gaps() {
    let mut faults = Vec::new();
    for path in
        members().iter().map(|member| root().join(member).join("migrations")).filter(|path| path.exists())
    {
        for folder in std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()) {
            let names: Vec<String> = files(&folder, ".sql").iter().map(|path| name(path)).collect();
            for (number, name) in (1..).zip(&names) {
                if !name.starts_with(&format!("{number:04}_")) {
                    faults.push(format!("{}/{name} should be number {number:04}", shown(&folder)));
                }
            }
        }
    }
    no_faults(faults);
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
