//! From lexemes to the tree of a file, by recursive descent. After a fault the parser goes on at the next line, or at the
//! next declaration, so that one run finds them all.

mod block;
mod cursor;
mod endpoint;
mod field;
mod file;
mod pairs;
mod service;
mod types;

use super::ast::File;
use super::lexeme::{Lexeme, lexemes};
use super::lexer::tokens;
use super::span::FileId;
use crate::diagnostics::Faults;

/// A tree for whatever text there is; only without faults it is all of the text.
pub(crate) fn parse(file: FileId, text: &str, faults: &mut Faults) -> File {
    let tokens = tokens(file, text, faults);
    let lexemes = lexemes(text, &tokens);
    Parser { text, lexemes, at: 0, midst: Vec::new(), depth: 0, faults }.file()
}

struct Parser<'a> {
    text: &'a str,
    lexemes: Vec<Lexeme>,
    at: usize,
    /// Comments in the midst of the item that is being read.
    midst: Vec<super::ast::Comment>,
    /// How many types are around the one that is being read.
    depth: usize,
    faults: &'a mut Faults,
}
