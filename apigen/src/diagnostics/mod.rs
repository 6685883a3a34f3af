//! What is wrong with a contract, and where. Everything that is found in one run is told.

mod near;
mod render;

pub(crate) use near::{did_you_mean, one_of};

use std::error::Error;
use std::fmt;

use crate::syntax::source::Sources;
use crate::syntax::span::Span;

/// All that was found, with the sources it points into. [`Display`](fmt::Display) shows it without colour.
pub struct Diagnostics {
    sources: Sources,
    list: Vec<Diagnostic>,
}

/// One fault. Labels of other places say what it is at odds with.
#[derive(Debug, Clone)]
pub(crate) struct Diagnostic {
    title: String,
    /// The first one is where the fault is.
    labels: Vec<Label>,
    help: Vec<String>,
}

#[derive(Debug, Clone)]
struct Label {
    span: Span,
    text: String,
}

/// Where faults are gathered.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Diagnostic>);

impl Diagnostics {
    /// How many are shown; the rest is counted. Whoever has more of them does not read them all.
    pub const SHOWN: usize = 100;

    pub(crate) fn new(sources: Sources, faults: Faults) -> Diagnostics {
        let mut list = faults.0;
        list.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
        Diagnostics { sources, list }
    }

    /// As a terminal shows it.
    pub fn coloured(&self) -> String {
        render::all(&self.sources, &self.list, render::Look::Coloured)
    }

    pub fn count(&self) -> usize {
        self.list.len()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::all(&self.sources, &self.list, render::Look::Plain))
    }
}

/// As `Display`: where a test or a build script fails with it, a person reads it.
impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl Error for Diagnostics {}

impl Diagnostic {
    /// `title` says what is wrong, `label` what is at `span`, or what was expected there.
    pub(crate) fn new(title: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
        Diagnostic { title: title.into(), labels: vec![Label { span, text: label.into() }], help: Vec::new() }
    }

    /// What has no place in a source, such as a file that cannot be read.
    pub(crate) fn without_place(title: impl Into<String>) -> Diagnostic {
        Diagnostic { title: title.into(), labels: Vec::new(), help: Vec::new() }
    }

    pub(crate) fn and(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: label.into() });
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Diagnostic {
        self.help.extend(help);
        self
    }

    pub(crate) fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

impl Faults {
    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn last_span(&self) -> Option<Span> {
        self.0.last().and_then(Diagnostic::span)
    }
}
