//! The documents: their links lead somewhere, and the commands they name exist.

use super::{no_faults, root};

const DOCUMENTS: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

fn documents() -> Vec<(&'static str, String)> {
    DOCUMENTS.map(|name| (name, std::fs::read_to_string(root().join(name)).unwrap())).into()
}

#[test]
fn links_lead_to_files() {
    let mut faults = Vec::new();
    for (name, text) in documents() {
        for rest in text.split("](").skip(1) {
            let link = rest.split([')', '#']).next().unwrap_or_default();
            if !link.is_empty() && !link.contains("://") && !root().join(link).exists() {
                faults.push(format!("{name} links to {link}, which is not there"));
            }
        }
    }
    no_faults(faults);
}

/// A word in backquotes that looks like a path of ours is one.
#[test]
fn paths_are_there() {
    let mut faults = Vec::new();
    for (name, text) in documents() {
        for word in text.split('`').skip(1).step_by(2) {
            let of_ours = super::members().iter().any(|member| word.starts_with(&format!("{member}/")));
            let plain = word.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
            if of_ours && plain && !root().join(word).exists() {
                faults.push(format!("{name} names {word}, which is not there"));
            }
        }
    }
    no_faults(faults);
}

#[test]
fn targets_of_make_exist() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let mut faults = Vec::new();
    for (name, text) in documents() {
        for rest in text.split("make ").skip(1) {
            let target: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            let of_code =
                text.contains(&format!("`make {target}")) || text.contains(&format!("\nmake {target}"));
            if of_code && !target.is_empty() && !makefile.contains(&format!("\n{target}:")) {
                faults.push(format!("{name} says `make {target}`, which the Makefile does not know"));
            }
        }
    }
    no_faults(faults);
}
