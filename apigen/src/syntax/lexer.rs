//! From text to tokens. Every text has tokens: what is wrong becomes a fault, and the reading goes on.

use super::span::{FileId, Span};
use super::token::{Bracket, Kind, Token};
use crate::diagnostics::{Diagnostic, Faults};

/// Some editors put it at the start of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The last one is [`Kind::End`], and there is no other one.
pub(crate) fn tokens(file: FileId, text: &str, faults: &mut Faults) -> Vec<Token> {
    let mark = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    let mut lexer = Lexer { file, text, at: mark, after_colon: false, faults };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next();
        tokens.push(token);
        if token.kind == Kind::End {
            return tokens;
        }
    }
}

struct Lexer<'a> {
    file: FileId,
    text: &'a str,
    at: usize,
    /// Only the value of a pair can be a raw text of several lines. In a tag whose last quote is missing, the next
    /// line would be taken for a part of it otherwise.
    after_colon: bool,
    faults: &'a mut Faults,
}

impl Lexer<'_> {
    fn next(&mut self) -> Token {
        self.skip(char::is_whitespace);
        let start = self.at;
        let Some(first) = self.peek() else { return self.end() };
        self.at += first.len_utf8();
        let kind = match first {
            '(' => Kind::Open(Bracket::Round),
            ')' => Kind::Close(Bracket::Round),
            '[' => Kind::Open(Bracket::Square),
            ']' => Kind::Close(Bracket::Square),
            '{' => Kind::Open(Bracket::Curly),
            '}' => Kind::Close(Bracket::Curly),
            ',' => Kind::Comma,
            ':' => Kind::Colon,
            '=' => Kind::Equals,
            '*' => Kind::Star,
            '-' => Kind::Dash,
            '.' => Kind::Dot,
            ';' => Kind::Semicolon,
            '/' if self.rest().starts_with('/') => self.line_comment(),
            '/' if self.rest().starts_with('*') => self.block_comment(start),
            '/' => Kind::Slash,
            '"' => self.text(start),
            '`' => self.raw(start),
            '@' => self.while_word(Kind::At),
            first if first.is_ascii_digit() => self.while_word(Kind::Number),
            first if first.is_alphabetic() || first == '_' => self.while_word(Kind::Word),
            _ => Kind::Unknown,
        };
        self.after_colon = kind == Kind::Colon;
        Token { kind, span: self.span(start, self.at) }
    }

    fn line_comment(&mut self) -> Kind {
        self.skip(|letter| letter != '\n');
        Kind::LineComment
    }

    fn block_comment(&mut self, start: usize) -> Kind {
        match self.text[start + 2..].find("*/") {
            Some(length) => self.at = start + 2 + length + 2,
            None => {
                self.unclosed(start, start + 2, "this comment has no end", "`*/`");
                self.at = self.text.len();
            }
        }
        Kind::BlockComment
    }

    fn text(&mut self, start: usize) -> Kind {
        while let Some(letter) = self.peek() {
            match letter {
                '\n' => break,
                '"' => {
                    self.at += 1;
                    return Kind::Text;
                }
                '\\' => {
                    self.at += 1;
                    let escaped = self.peek().filter(|escaped| *escaped != '\n');
                    self.at += escaped.map_or(0, char::len_utf8);
                }
                letter => self.at += letter.len_utf8(),
            }
        }
        self.unclosed(start, self.at, "this text has no end", "`\"` before the end of the line");
        Kind::Text
    }

    fn raw(&mut self, start: usize) -> Kind {
        let several_lines = self.after_colon;
        let rest = self.rest();
        let line = rest.find('\n').unwrap_or(rest.len());
        match rest.find('`') {
            Some(length) if several_lines || length < line => self.at += length + 1,
            _ => {
                self.at += rest[..line].trim_end().len();
                let expected = if several_lines {
                    "another backquote"
                } else {
                    "a backquote before the end of the line"
                };
                self.unclosed(start, self.at, "this text has no end", expected);
            }
        }
        Kind::Raw
    }

    fn unclosed(&mut self, start: usize, end: usize, title: &str, expected: &str) {
        let span = self.span(start, end);
        self.faults.add(Diagnostic::new(title, span, format!("expected {expected}")));
    }

    fn while_word(&mut self, kind: Kind) -> Kind {
        self.skip(|letter| letter.is_alphanumeric() || letter == '_');
        kind
    }

    /// Right behind what was there last, where somebody would go on writing.
    fn end(&self) -> Token {
        let end = self.text.trim_end().len();
        Token { kind: Kind::End, span: self.span(end, end) }
    }

    fn skip(&mut self, letters: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|letter| !letters(letter)).unwrap_or(rest.len());
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start, end }
    }
}
