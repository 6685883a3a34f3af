//! The licences of everything that is linked into a binary: each crate of the graph can be had under one of these.

use cargo_metadata::{CargoOpt, MetadataCommand};
use spdx::{Expression, ParseMode};

use super::{no_faults, root};

/// All of them allow what MIT and Apache-2.0 allow, with no more than a notice.
const ALLOWED: [&str; 10] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CC0-1.0",
    "BSL-1.0",
];

#[test]
fn every_crate_has_a_licence_that_ours_can_live_with() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options([
            "--locked".to_owned(),
            "--offline".to_owned(),
            "--filter-platform".to_owned(),
            host(),
        ])
        .exec()
        .unwrap();
    let mut faults = Vec::new();
    for package in &metadata.packages {
        let licence = package.license.as_deref().unwrap_or_default();
        let parsed = Expression::parse_mode(licence, ParseMode::LAX);
        let fits = parsed.is_ok_and(|expression| {
            expression.evaluate(|one| {
                let allowed = |id: spdx::LicenseId| ALLOWED.contains(&id.name);
                one.license.id().is_some_and(allowed)
            })
        });
        if !fits {
            faults.push(format!("{} {} is under `{licence}`", package.name, package.version));
        }
    }
    no_faults(faults);
}

fn host() -> String {
    let arch = std::env::consts::ARCH;
    match std::env::consts::OS {
        "macos" => format!("{arch}-apple-darwin"),
        _ => format!("{arch}-unknown-linux-gnu"),
    }
}
