//! Places in a source.

use std::fmt;

/// Which of the files of a contract, in the order in which they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId(pub(crate) usize);

/// Bytes of a file, from `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub(crate) file: FileId,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Something, and where it stands. Two of them are equal where what stands there is: trees are compared by what they
/// say.
#[derive(Clone, Copy)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl Span {
    /// From the start of this one to the end of `last`.
    pub(crate) fn to(self, last: Span) -> Span {
        Span { end: last.end.max(self.start), ..self }
    }

    /// `start` and `end` count from the start of this one.
    pub(crate) fn part(self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: self.start + start, end: self.start + end }
    }
}

impl<T> Located<T> {
    pub(crate) fn new(value: T, span: Span) -> Located<T> {
        Located { value, span }
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Located<T>) -> bool {
        self.value == other.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Located<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
