//! The words of the language, before they mean anything.

use super::span::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters, digits and underscores, a letter first.
    Word,
    /// A digit, then letters and digits: `16384`, `5s`, `1h30m`.
    Number,
    /// `"…"` on one line.
    Text,
    /// Between backquotes.
    Raw,
    /// `@server`.
    At,
    LineComment,
    BlockComment,
    Open(Bracket),
    Close(Bracket),
    Comma,
    Colon,
    Equals,
    Star,
    Slash,
    Dash,
    Dot,
    Semicolon,
    /// What the language has no use for.
    Unknown,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bracket {
    Round,
    Square,
    Curly,
}

impl Bracket {
    pub(crate) fn open(self) -> &'static str {
        match self {
            Bracket::Round => "(",
            Bracket::Square => "[",
            Bracket::Curly => "{",
        }
    }

    pub(crate) fn close(self) -> &'static str {
        match self {
            Bracket::Round => ")",
            Bracket::Square => "]",
            Bracket::Curly => "}",
        }
    }
}
