//! The compiler of go-zero's `.api` contracts: text → tree → [`model::Contract`]. What is made from a contract reads the
//! model alone.

pub mod model;
pub mod names;

mod analysis;
mod diagnostics;
mod generate;
mod syntax;

pub use diagnostics::Diagnostics;
pub use generate::{code, generate};

use std::path::Path;

use analysis::Origin;
use diagnostics::Faults;
use model::Contract;
use syntax::source::Sources;
use syntax::{format, parser};

/// Reads a contract and what it imports.
pub fn load(path: impl AsRef<Path>) -> Result<Contract, Diagnostics> {
    compile(Origin::Disk, path.as_ref())
}

/// As [`load`], from names and texts; the first one is the contract.
pub fn parse(files: &[(&str, &str)]) -> Result<Contract, Diagnostics> {
    let path = files.first().map_or("", |(name, _)| *name);
    compile(Origin::Memory(files), Path::new(path))
}

/// The one form that a file has; its name is for messages. Nothing but its syntax is looked at.
pub fn format(name: &str, text: &str) -> Result<String, Diagnostics> {
    let mut sources = Sources::default();
    let mut faults = Faults::default();
    let file = sources.add(Path::new(name), text.to_owned());
    let tree = parser::parse(file, text, &mut faults);
    if faults.is_empty() { Ok(format::print(&tree)) } else { Err(Diagnostics::new(sources, faults)) }
}

fn compile(origin: Origin<'_>, path: &Path) -> Result<Contract, Diagnostics> {
    let mut sources = Sources::default();
    let mut faults = Faults::default();
    let tree = analysis::load(origin, path, &mut sources, &mut faults);
    let contract = analysis::contract(&tree, &sources, &mut faults);
    contract.ok_or_else(|| Diagnostics::new(sources, faults))
}
