//! The language as it is written: text → tokens → lexemes → tree → text. What a tree means is not asked here.

pub(crate) mod ast;
pub(crate) mod format;
pub(crate) mod lexeme;
pub(crate) mod lexer;
pub(crate) mod literal;
pub(crate) mod parser;
pub(crate) mod source;
pub(crate) mod span;
pub(crate) mod token;
