//! From a contract to the trees of its files: each file is read once, and what is imported stands before what imports it.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::diagnostics::{Diagnostic, Faults};
use crate::syntax::ast::{Decl, File, Import, Literal};
use crate::syntax::source::Sources;
use crate::syntax::span::Span;
use crate::syntax::{literal, parser};

/// The files of a contract; its own is the last one.
pub(crate) type Tree = Vec<File>;

/// Larger ones are no contracts.
const LARGEST_BYTES: usize = 4 << 20;
/// How long a chain of imports can be.
const DEEPEST: usize = 64;

/// Where files are.
pub(crate) enum Origin<'a> {
    Disk,
    /// Names and texts.
    Memory(&'a [(&'a str, &'a str)]),
}

pub(crate) fn load(origin: Origin<'_>, path: &Path, sources: &mut Sources, faults: &mut Faults) -> Tree {
    let mut loader =
        Loader { origin, sources, faults, known: HashMap::new(), open: Vec::new(), tree: Vec::new() };
    loader.load(path, None);
    loader.tree
}

struct Loader<'a> {
    origin: Origin<'a>,
    sources: &'a mut Sources,
    faults: &'a mut Faults,
    /// By what identifies a file, whatever it was called: whether all of it was read.
    known: HashMap<PathBuf, bool>,
    /// From the contract to the file that is being read.
    open: Vec<PathBuf>,
    tree: Tree,
}

impl Loader<'_> {
    fn load(&mut self, path: &Path, import: Option<Span>) {
        let identity = self.origin.identity(path);
        match self.known.get(&identity) {
            Some(true) => return,
            Some(false) => return self.circle(path, &identity, import),
            None => {}
        }
        let text = match self.origin.read(path) {
            Ok(text) if text.len() > LARGEST_BYTES => {
                let title = format!("{} is larger than {LARGEST_BYTES} bytes", path.display());
                return self.refuse(import, title, "imported here");
            }
            Ok(text) => text,
            Err(error) => {
                let title = format!("cannot read {}: {error}", path.display());
                return self.refuse(import, title, "imported here");
            }
        };
        let file = self.sources.add(path, text);
        let parsed = parser::parse(file, &self.sources.get(file).text, self.faults);
        self.known.insert(identity.clone(), false);
        self.open.push(identity.clone());
        for import in imports(&parsed) {
            self.import(path, import);
        }
        self.open.pop();
        self.known.insert(identity, true);
        self.tree.push(parsed);
    }

    fn import(&mut self, importer: &Path, import: &Literal) {
        let name = literal::meaning(&import.value);
        if name.is_empty() {
            return self.refuse(
                Some(import.span),
                "this names no file".to_owned(),
                "expected the path of a file",
            );
        }
        if self.open.len() == DEEPEST {
            let title = format!("imports stand in each other more than {DEEPEST} deep");
            return self.refuse(Some(import.span), title, "too deep");
        }
        let path = importer.parent().unwrap_or(Path::new("")).join(name);
        self.load(&normal(&path), Some(import.span));
    }

    fn circle(&mut self, path: &Path, identity: &Path, import: Option<Span>) {
        let first = self.open.iter().position(|open| open == identity).unwrap_or_default();
        let names = self.open[first..].iter().map(PathBuf::as_path).chain([identity]);
        let names: Vec<String> =
            names.map(|path| path.file_name().unwrap_or_default().display().to_string()).collect();
        let title = format!("imports go round in a circle: {}", names.join(" → "));
        self.refuse(import, title, &format!("this leads back to {}", path.display()));
    }

    fn refuse(&mut self, import: Option<Span>, title: String, label: &str) {
        self.faults.add(match import {
            Some(span) => Diagnostic::new(title, span, label),
            None => Diagnostic::without_place(title),
        });
    }
}

impl Origin<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        match self {
            Origin::Disk => std::fs::read_to_string(path).map_err(|error| error.to_string()),
            Origin::Memory(files) => files
                .iter()
                .find(|(name, _)| Path::new(name) == path)
                .map(|(_, text)| (*text).to_owned())
                .ok_or_else(|| "there is no such file".to_owned()),
        }
    }

    fn identity(&self, path: &Path) -> PathBuf {
        match self {
            Origin::Disk => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            Origin::Memory(_) => path.to_owned(),
        }
    }
}

fn imports(file: &File) -> Vec<&Literal> {
    let imports = file.decls.iter().filter_map(|decl| match decl {
        Decl::Import(item) => Some(&item.value),
        _ => None,
    });
    imports
        .flat_map(|import| match import {
            Import::One(path) => vec![path],
            Import::Group(group) => group.items.iter().map(|item| &item.value).collect(),
        })
        .collect()
}

/// Without `.` and, where it can be told, `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}
