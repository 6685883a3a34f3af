//! `apigen show`

mod routes;
mod types;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use apigen::model::Contract;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum What {
    /// The routes, with what each asks for and answers.
    Routes { file: PathBuf },
    /// The structs, with what each is used for.
    Types { file: PathBuf },
    /// The Rust that a build script writes.
    Code { file: PathBuf },
}

/// Whether there was something to show.
pub(super) fn run(what: &What) -> anyhow::Result<bool> {
    match what {
        What::Routes { file } => show(file, routes::text),
        What::Types { file } => show(file, types::text),
        What::Code { file } => show(file, apigen::code),
    }
}

fn show(file: &Path, text: impl FnOnce(&Contract) -> String) -> anyhow::Result<bool> {
    match apigen::load(file) {
        Ok(contract) => {
            io::stdout().write_all(text(&contract).as_bytes())?;
            Ok(true)
        }
        Err(diagnostics) => {
            super::tell(&diagnostics);
            Ok(false)
        }
    }
}

/// Lines whose parts stand below each other.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// As the contract writes types.
fn type_name(ty: &apigen::model::Type) -> String {
    use apigen::model::Type;
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Text => "string".to_owned(),
        Type::Integer { bits, signed: true } => format!("int{bits}"),
        Type::Integer { bits, signed: false } => format!("uint{bits}"),
        Type::Float { bits } => format!("float{bits}"),
        Type::Any => "interface{}".to_owned(),
        Type::List(of) => format!("[]{}", type_name(of)),
        Type::Map(of) => format!("map[string]{}", type_name(of)),
        Type::Nullable(of) => format!("*{}", type_name(of)),
        Type::Struct(name) => name.clone(),
    }
}
