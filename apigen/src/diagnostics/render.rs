//! From a fault to the text that shows it: file, line, column, the lines of the source, and carets below them.

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Label};
use crate::syntax::source::{Source, Sources};
use crate::syntax::span::FileId;

#[derive(Clone, Copy)]
pub(super) enum Look {
    Plain,
    Coloured,
}

pub(super) fn all(sources: &Sources, list: &[Diagnostic], look: Look) -> String {
    let renderer = match look {
        Look::Plain => Renderer::plain(),
        Look::Coloured => Renderer::styled(),
    };
    let shown = list.iter().take(Diagnostics::SHOWN);
    let mut text: Vec<String> = shown.map(|diagnostic| one(sources, diagnostic, &renderer)).collect();
    if let Some(more @ 1..) = list.len().checked_sub(Diagnostics::SHOWN) {
        text.push(format!("and {more} more"));
    }
    text.join("\n\n")
}

fn one(sources: &Sources, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let mut group =
        Level::ERROR.primary_title(diagnostic.title.as_str()).elements(snippets(sources, diagnostic));
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// One for each file, that of the fault itself first.
fn snippets<'a>(sources: &'a Sources, diagnostic: &'a Diagnostic) -> Vec<Snippet<'a, Annotation<'a>>> {
    let mut files: Vec<FileId> = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    files.into_iter().map(|file| snippet(file, sources, diagnostic)).collect()
}

/// The lines from the first label to the last one; what is between is folded.
fn snippet<'a>(
    file: FileId,
    sources: &'a Sources,
    diagnostic: &'a Diagnostic,
) -> Snippet<'a, Annotation<'a>> {
    let source = sources.get(file);
    let labels: Vec<(usize, &Label)> =
        diagnostic.labels.iter().enumerate().filter(|(_, label)| label.span.file == file).collect();
    let first = labels.iter().map(|(_, label)| label.span.start).min().unwrap_or_default();
    let last = labels.iter().map(|(_, label)| label.span.start).max().unwrap_or_default();
    let from = source.line_start(first);
    let to = source.line_end(last);
    let annotations = labels.iter().map(|(index, label)| {
        let kind = if *index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let (start, end) = on_one_line(source, label);
        kind.span(start - from..end - from).label(label.text.as_str())
    });
    Snippet::source(&source.text[from..to])
        .line_start(source.line(first))
        .path(source.name.as_str())
        .annotations(annotations)
}

fn on_one_line(source: &Source, label: &Label) -> (usize, usize) {
    (label.span.start, label.span.end.min(source.line_end(label.span.start)))
}
