//! For build scripts: the code of a contract in cargo's output folder.

use std::io;
use std::path::{Path, PathBuf};

use super::code;
use crate::names::snake;
use crate::{Diagnostics, load};

/// Writes the code of `contract` to `$OUT_DIR/<service>.rs`, the service in snake case, and has cargo come back when
/// one of the contract's files changes. All that is wrong with the contract goes to standard error, and ends the build.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "cargo reads the one, a person the other")]
pub fn generate(contract: impl AsRef<Path>) {
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from);
    match folder.ok_or(Fault::NoFolder).and_then(|folder| write(contract.as_ref(), &folder)) {
        Ok(read) => read.iter().for_each(|path| println!("cargo::rerun-if-changed={}", path.display())),
        Err(fault) => {
            eprintln!("{fault}");
            std::process::exit(1);
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("OUT_DIR is not set: this is for build scripts")]
    NoFolder,
    #[error("{0}")]
    Contract(Diagnostics),
    #[error("{path} cannot be written: {cause}")]
    Write { path: PathBuf, cause: io::Error },
}

/// Answers with the files that were read.
fn write(contract: &Path, folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let contract = load(contract).map_err(Fault::Contract)?;
    let path = folder.join(snake(&contract.service)).with_extension("rs");
    let code = code(&contract);
    // An untouched file keeps its time, so nothing that includes it is compiled again.
    if std::fs::read(&path).is_ok_and(|present| present == code.as_bytes()) {
        return Ok(contract.files);
    }
    std::fs::write(&path, code).map_err(|cause| Fault::Write { path, cause })?;
    Ok(contract.files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const GOOD: &str = "syntax = \"v1\"\n\nservice ping-api {\n\t@handler Ping\n\tget /ping\n}\n";

    #[test]
    fn code_is_written_once_and_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let contract = folder.path().join("ping.api");
        let code = folder.path().join("ping_api.rs");
        fs::write(&contract, GOOD).unwrap();
        assert_eq!(write(&contract, folder.path()).unwrap(), std::slice::from_ref(&contract));
        assert!(fs::read_to_string(&code).unwrap().contains("logic::ping_api::ping(&ctx).await"));

        let early = std::time::UNIX_EPOCH;
        fs::File::options().write(true).open(&code).unwrap().set_modified(early).unwrap();
        write(&contract, folder.path()).unwrap();
        assert_eq!(
            fs::metadata(&code).unwrap().modified().unwrap(),
            early,
            "the same code is not written again"
        );

        fs::write(&contract, GOOD.replace("/ping", "/pong")).unwrap();
        write(&contract, folder.path()).unwrap();
        assert!(fs::read_to_string(&code).unwrap().contains("GET /pong"));
    }

    #[test]
    fn a_faulty_contract_writes_nothing_and_shows_where() {
        let folder = tempfile::tempdir().unwrap();
        let contract = folder.path().join("ping.api");
        fs::write(&contract, GOOD.replace("get", "fetch")).unwrap();
        let fault = write(&contract, folder.path()).unwrap_err().to_string();
        assert!(fault.contains("ping.api:5:2") && fault.contains("fetch"), "{fault}");
        assert!(!folder.path().join("ping_api.rs").exists());
    }
}
