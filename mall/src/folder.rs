//! The folder of a shop's data: kept or temporary, and used by one shop at a time.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} is the data of a shop that is running; stop it, or choose another folder", .0.display())]
    InUse(PathBuf),
    #[error("{} cannot be used as a folder for data", .0.display())]
    Unusable(PathBuf, #[source] io::Error),
}

const LOCK: &str = "lock";

/// Whether no shop uses the data now. Nothing is written; only [`Folder::lock`] can promise more.
pub(crate) fn unlocked(path: &Path) -> Result<(), Error> {
    // What cannot be opened is for who wants to write there.
    let Ok(lock) = File::open(path.join(LOCK)) else { return Ok(()) };
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(Error::InUse(path.to_owned())),
        _ => Ok(()),
    }
}

/// Where a shop's data will be. Nothing is written yet, but for the folder itself where it is temporary.
pub(crate) struct Folder {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Folder {
    /// A temporary one where there is no path.
    pub(crate) fn new(path: Option<&Path>) -> Result<Folder, Error> {
        if let Some(path) = path {
            return Ok(Folder { path: path.to_owned(), temporary: None });
        }
        let made = tempfile::Builder::new().prefix("ferromart-").tempdir();
        let folder = made.map_err(|error| Error::Unusable(std::env::temp_dir(), error))?;
        Ok(Folder { path: folder.path().to_owned(), temporary: Some(folder) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes it for one shop.
    pub(crate) fn lock(self) -> Result<Locked, Error> {
        let Folder { path, temporary } = self;
        let unusable = |error| Error::Unusable(path.clone(), error);
        // It will hold the key that signs tokens, and what customers told: for this user alone.
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(unusable)?;
        let lock = File::options().write(true).create(true).truncate(false).open(path.join(LOCK));
        let lock = lock.map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Locked { _lock: lock, temporary }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(path)),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

/// Ours for as long as it lives; the system takes the lock back even after a `kill -9`.
pub(crate) struct Locked {
    _lock: File,
    temporary: Option<TempDir>,
}

impl Locked {
    /// Gives it up; a temporary one is deleted.
    pub(crate) fn leave(self) -> io::Result<()> {
        self.temporary.map_or(Ok(()), TempDir::close)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn locked(path: &Path) -> Result<Locked, Error> {
        Folder::new(Some(path)).unwrap().lock()
    }

    #[test]
    fn one_shop_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/data");
        let folder = Folder::new(Some(&path)).unwrap();
        unlocked(&path).unwrap();
        assert!(!path.exists());
        let first = folder.lock().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(matches!(unlocked(&path), Err(Error::InUse(_))));
        let second = locked(&path).err().unwrap().to_string();
        assert!(second.ends_with("is the data of a shop that is running; stop it, or choose another folder"));
        first.leave().unwrap();
        assert!(path.exists());
        unlocked(&path).unwrap();
        locked(&path).unwrap();
    }

    #[test]
    fn what_is_temporary_goes() {
        let folder = Folder::new(None).unwrap();
        let path = folder.path().to_owned();
        let folder = folder.lock().unwrap();
        fs::write(path.join("user.db"), "x").unwrap();
        folder.leave().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(locked(file.path()), Err(Error::Unusable(..))));
    }
}
