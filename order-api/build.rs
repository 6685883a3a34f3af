//! Generates the contract's code, and the table of the pictures.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    apigen::generate("order.api");
    println!("cargo::rerun-if-changed=pictures");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("pictures.rs"), pictures(Path::new("pictures"))?)?;
    Ok(())
}

/// A constant with the name and content of each file in `folder`.
fn pictures(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(entry?.path().canonicalize()?);
    }
    files.sort();
    let mut table = String::from("static PICTURES: &[(&str, &[u8])] = &[\n");
    for path in files {
        let name = path.file_name().ok_or("a file has a name")?.to_string_lossy();
        writeln!(table, "    ({name:?}, include_bytes!({:?})),", path.display().to_string())?;
    }
    table.push_str("];\n");
    Ok(table)
}
