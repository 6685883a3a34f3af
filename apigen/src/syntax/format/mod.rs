//! From a tree to its one form of text. All comments are kept; blank lines are, where there is a choice, one at most.

mod blocks;
mod decls;
mod printer;
mod table;
mod types;

#[cfg(test)]
mod tests;

use super::ast::File;
use printer::{Printer, Space};

/// What was printed is printed again as it is.
pub(crate) fn print(file: &File) -> String {
    let mut printer = Printer::new();
    let mut space = Space::None;
    for (index, decl) in file.decls.iter().enumerate() {
        printer.decl(decl, decls::space_between(&file.decls, index));
        space = Space::AsWritten;
    }
    printer.comments(&file.end, space);
    printer.into_text()
}
