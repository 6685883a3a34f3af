//! `apigen check`

use std::path::PathBuf;

/// Whether nothing is wrong.
pub(super) fn run(files: &[PathBuf]) -> anyhow::Result<bool> {
    let mut sound = true;
    for file in files {
        if let Err(diagnostics) = apigen::load(file) {
            super::tell(&diagnostics);
            sound = false;
        }
    }
    Ok(sound)
}
