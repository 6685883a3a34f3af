//! `apigen format`

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Whether all files could be formatted. What is wrong with one leaves it as it is.
pub(super) fn write(files: &[PathBuf]) -> anyhow::Result<bool> {
    let mut sound = true;
    for file in files {
        match formatted(file)? {
            Outcome::AsItWas => {}
            Outcome::Other(text) => {
                fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
            }
            Outcome::Wrong => sound = false,
        }
    }
    Ok(sound)
}

/// Whether all files have their one form.
pub(super) fn check(files: &[PathBuf]) -> anyhow::Result<bool> {
    let mut sound = true;
    for file in files {
        match formatted(file)? {
            Outcome::AsItWas => {}
            Outcome::Other(_) => {
                writeln!(io::stdout(), "{}", file.display())?;
                sound = false;
            }
            Outcome::Wrong => sound = false,
        }
    }
    Ok(sound)
}

enum Outcome {
    AsItWas,
    Other(String),
    Wrong,
}

fn formatted(file: &Path) -> anyhow::Result<Outcome> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(match apigen::format(&file.display().to_string(), &text) {
        Ok(formatted) if formatted == text => Outcome::AsItWas,
        Ok(formatted) => Outcome::Other(formatted),
        Err(diagnostics) => {
            super::tell(&diagnostics);
            Outcome::Wrong
        }
    })
}
