//! The texts that a contract is made of.

use std::path::{Path, PathBuf};

use super::span::FileId;

/// All files of a run.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// The path, as errors show it.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Sources {
    pub(crate) fn add(&mut self, path: &Path, text: String) -> FileId {
        self.0.push(Source { path: path.to_owned(), name: path.display().to_string(), text });
        FileId(self.0.len() - 1)
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.0.iter().map(|source| source.path.clone()).collect()
    }

    pub(crate) fn get(&self, file: FileId) -> &Source {
        &self.0[file.0]
    }
}

impl Source {
    /// Counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.text[..offset].bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    pub(crate) fn line_start(&self, offset: usize) -> usize {
        self.text[..offset].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Before its line break.
    pub(crate) fn line_end(&self, offset: usize) -> usize {
        let end = self.text[offset..].find('\n').map_or(self.text.len(), |newline| offset + newline);
        if end > offset && self.text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end }
    }
}
