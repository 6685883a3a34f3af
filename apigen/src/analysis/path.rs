//! Paths of routes: `/v1/orders/:id`.

use crate::diagnostics::{Diagnostic, Faults};
use crate::syntax::ast::Name;
use crate::syntax::span::Located;

/// The parts between the slashes.
#[derive(Clone, Default)]
pub(super) struct Path {
    pub(super) segments: Vec<Segment>,
}

#[derive(Clone)]
pub(super) enum Segment {
    Fixed(Name),
    Parameter(Name),
}

/// `None` where something is wrong with it.
pub(super) fn read(text: &Name, faults: &mut Faults) -> Option<Path> {
    let Some(rest) = text.value.strip_prefix('/') else {
        let title = format!("`{}` is not a path", text.value);
        faults.add(Diagnostic::new(title, text.span, "expected a path that begins with `/`"));
        return None;
    };
    let mut path = Path::default();
    let mut at = 1;
    let mut words = rest.split('/').peekable();
    while let Some(word) = words.next() {
        let here = Located::new(word.to_owned(), text.span.part(at, at + word.len()));
        at += word.len() + 1;
        // A slash at the end means nothing.
        if !word.is_empty() || words.peek().is_some() {
            path.segments.push(segment(here, faults)?);
        }
    }
    Some(path)
}

/// The letters of a parameter's name.
pub(super) fn is_of_parameter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn segment(word: Name, faults: &mut Faults) -> Option<Segment> {
    if let Some(name) = word.value.strip_prefix(':') {
        if name.is_empty() || !name.bytes().all(is_of_parameter) {
            let title = format!("`{}` is not a parameter", word.value);
            faults.add(Diagnostic::new(title, word.span, "expected `:` and a name"));
            return None;
        }
        let name = Located::new(name.to_owned(), word.span);
        return Some(Segment::Parameter(name));
    }
    let wrong = if word.value.is_empty() {
        Some("expected something between two slashes")
    } else if matches!(word.value.as_str(), "." | "..") {
        Some("clients take these away")
    } else if word.value.contains(':') {
        Some("a parameter is all that is between two slashes")
    } else if !word.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) {
        Some("expected letters, digits, `-`, `.` and `_`")
    } else {
        None
    };
    match wrong {
        Some(wrong) => {
            let title = format!("`{}` cannot be a part of a path", word.value);
            faults.add(Diagnostic::new(title, word.span, wrong));
            None
        }
        None => Some(Segment::Fixed(word)),
    }
}

impl Path {
    pub(super) fn join(&self, rest: &Path) -> Path {
        Path { segments: [self.segments.as_slice(), &rest.segments].concat() }
    }

    pub(super) fn parameters(&self) -> impl Iterator<Item = &Name> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(name),
            Segment::Fixed(_) => None,
        })
    }

    /// In axum's form.
    pub(super) fn pattern(&self) -> String {
        self.write(|name| format!("{{{name}}}"))
    }

    /// Two patterns of one shape take the same requests, whatever their parameters are called.
    pub(super) fn shape(&self) -> String {
        self.write(|_| "{}".to_owned())
    }

    fn write(&self, parameter: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for segment in &self.segments {
            text.push('/');
            match segment {
                Segment::Fixed(word) => text.push_str(&word.value),
                Segment::Parameter(name) => text.push_str(&parameter(&name.value)),
            }
        }
        if text.is_empty() { "/".to_owned() } else { text }
    }
}
