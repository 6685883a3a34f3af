//! The folder of a shop's data: kept or temporary, and used by one shop at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} is the data of a shop that is running; stop it, or choose another folder", .0.display())]
    InUse(PathBuf),
    #[error("{} cannot be used as a folder for data", .0.display())]
    Unusable(PathBuf, #[source] io::Error),
}

/// Ours for as long as it lives; the system takes the lock back even after a `kill -9`.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
    temporary: Option<TempDir>,
}

impl Folder {
    pub(crate) fn keep(path: &Path) -> Result<Folder, Error> {
        let unusable = |error| Error::Unusable(path.to_owned(), error);
        fs::create_dir_all(path).map_err(unusable)?;
        let lock = File::options().write(true).create(true).truncate(false).open(path.join("lock"));
        let lock = lock.map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder { path: path.to_owned(), _lock: lock, temporary: None }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    pub(crate) fn temporary() -> Result<Folder, Error> {
        let made = tempfile::Builder::new().prefix("ferromart-").tempdir();
        let folder = made.map_err(|error| Error::Unusable(std::env::temp_dir(), error))?;
        let kept = Folder::keep(folder.path())?;
        Ok(Folder { temporary: Some(folder), ..kept })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it up; a temporary one is deleted.
    pub(crate) fn leave(self) -> io::Result<()> {
        self.temporary.map_or(Ok(()), TempDir::close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shop_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/data");
        let first = Folder::keep(&path).unwrap();
        let second = Folder::keep(&path).unwrap_err();
        assert!(
            second
                .to_string()
                .ends_with("is the data of a shop that is running; stop it, or choose another folder")
        );
        first.leave().unwrap();
        assert!(path.exists());
        Folder::keep(&path).unwrap();
    }

    #[test]
    fn what_is_temporary_goes() {
        let folder = Folder::temporary().unwrap();
        let path = folder.path().to_owned();
        fs::write(path.join("user.db"), "x").unwrap();
        folder.leave().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(Folder::keep(file.path()), Err(Error::Unusable(..))));
    }
}
