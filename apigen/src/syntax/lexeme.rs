//! Tokens with what stands before them: comments, line breaks, blank lines.

use super::ast::Comment;
use super::span::Span;
use super::token::{Kind, Token};

#[derive(Debug)]
pub(crate) struct Lexeme {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// Before it and after the lexeme before.
    pub(crate) comments: Vec<Found>,
    /// The first one of its line.
    pub(crate) fresh: bool,
    /// There is a blank line right before it, after its comments.
    pub(crate) blank_before: bool,
    /// There is nothing at all between it and the lexeme before.
    pub(crate) glued: bool,
}

/// A comment where it was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) comment: Comment,
    /// The first thing of its line: it belongs to what follows, and otherwise to what is before.
    pub(crate) fresh: bool,
}

pub(crate) fn lexemes(text: &str, tokens: &[Token]) -> Vec<Lexeme> {
    let mut lexemes: Vec<Lexeme> = Vec::new();
    let mut comments: Vec<Found> = Vec::new();
    // Where what was before ends, and where the lexeme before ends.
    let (mut before, mut behind) = (0, 0);
    for token in tokens {
        let Span { start, end, .. } = token.span;
        let breaks = newlines(&text[before.min(start)..start]);
        if matches!(token.kind, Kind::LineComment | Kind::BlockComment) {
            let fresh = breaks > 0 || before == 0;
            let comment = Comment { text: clean(&text[start..end]), blank_before: breaks > 1 };
            comments.push(Found { comment, fresh });
        } else {
            let mut lexeme = Lexeme {
                kind: token.kind,
                span: token.span,
                comments: std::mem::take(&mut comments),
                fresh: newlines(&text[behind.min(start)..start]) > 0 || behind == 0,
                blank_before: breaks > 1,
                glued: behind == start && behind > 0,
            };
            if lexemes.last().is_some_and(|before| matches!(before.kind, Kind::Open(_))) {
                part_from_bracket(&mut lexeme);
            }
            lexemes.push(lexeme);
            behind = end;
        }
        before = end;
    }
    lexemes
}

/// A comment on the line of an opening bracket is about the whole block, and not about the first thing in it, above
/// which the formatter puts it.
fn part_from_bracket(lexeme: &mut Lexeme) {
    let Some(last) = lexeme.comments.iter().take_while(|found| !found.fresh).count().checked_sub(1) else {
        return;
    };
    match lexeme.comments.get_mut(last + 1) {
        Some(next) => next.comment.blank_before = true,
        None => lexeme.blank_before = true,
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// Without what no eye sees at the ends of its lines.
fn clean(comment: &str) -> String {
    comment.split('\n').map(str::trim_end).collect::<Vec<_>>().join("\n")
}
