//! The manifests: the direction of every dependency, and versions in one place.

use std::path::Path;

use toml::Table;

use super::{members, no_faults, root};

pub(crate) fn read(path: &Path) -> Table {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What of ours a crate may use, and what its tests may use beside that. Whatever is not here may be used by nobody.
const MAY_USE: [(&str, &[&str], &[&str]); 10] = [
    ("proto", &[], &["shared"]),
    ("shared", &[], &[]),
    ("apigen", &[], &["shared"]),
    ("user-rpc", &["proto", "shared"], &[]),
    ("product-rpc", &["proto", "shared"], &[]),
    ("order-rpc", &["proto", "shared"], &[]),
    ("order-api", &["proto", "shared", "apigen"], &[]),
    // Another company's server: it knows nothing of the shop.
    ("payment-sim", &["shared", "apigen"], &[]),
    ("mall", EVERYBODY, EVERYBODY),
    ("e2e", EVERYBODY, EVERYBODY),
];

const EVERYBODY: &[&str] = &[
    "proto",
    "shared",
    "apigen",
    "user-rpc",
    "product-rpc",
    "order-rpc",
    "order-api",
    "payment-sim",
    "mall",
];

#[test]
fn nobody_uses_whom_they_may_not() {
    let members = members();
    let mut faults = Vec::new();
    for member in &members {
        let Some((_, allowed, in_tests)) = MAY_USE.iter().find(|rule| rule.0 == member) else {
            faults.push(format!("{member} has no row in MAY_USE of {}", file!()));
            continue;
        };
        let manifest = read(&root().join(member).join("Cargo.toml"));
        for (kind, name, _) in dependencies(&manifest) {
            let is_ours = members.contains(&name) && name != *member;
            let name = name.as_str();
            let may = allowed.contains(&name) || (kind == "dev-dependencies" && in_tests.contains(&name));
            if is_ours && !may {
                faults.push(format!("{member} must not use {name} ({kind})"));
            }
        }
    }
    no_faults(faults);
}

#[test]
fn versions_stand_in_the_workspace_table_alone() {
    let mut faults = Vec::new();
    for member in members() {
        let manifest = read(&root().join(&member).join("Cargo.toml"));
        for (kind, name, value) in dependencies(&manifest) {
            let inherited = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
            let itself = name == member && value.get("path").and_then(toml::Value::as_str) == Some(".");
            if !inherited && !itself {
                faults.push(format!("{member}: {kind}.{name} must be `workspace = true`"));
            }
        }
        for inherited in ["version", "edition", "rust-version", "license", "publish"] {
            if manifest["package"][inherited].get("workspace").is_none() {
                faults.push(format!("{member}: package.{inherited} must be `workspace = true`"));
            }
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if lints.and_then(toml::Value::as_bool) != Some(true) {
            faults.push(format!("{member}: [lints] must be `workspace = true`"));
        }
        if manifest["package"]["name"].as_str() != Some(&member) {
            faults.push(format!("{member}: the crate must be named as its folder"));
        }
    }
    no_faults(faults);
}

#[test]
fn the_workspace_table_has_nothing_that_nobody_uses() {
    let workspace = read(&root().join("Cargo.toml"));
    let table = workspace["workspace"]["dependencies"].as_table().unwrap();
    let used: Vec<String> = members()
        .iter()
        .flat_map(|member| dependencies(&read(&root().join(member).join("Cargo.toml"))))
        .map(|(_, name, _)| name)
        .collect();
    let unused = table.keys().filter(|name| !used.contains(name));
    no_faults(unused.map(|name| format!("Cargo.toml: nobody uses {name}")).collect());
}

fn dependencies(manifest: &Table) -> Vec<(&'static str, String, toml::Value)> {
    let of_kind = |kind| {
        let table = manifest.get(kind).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        table.into_iter().map(move |(name, value)| (kind, name, value))
    };
    KINDS.into_iter().flat_map(of_kind).collect()
}
