//! Passwords: Argon2id with the crate's parameters (19 MiB, two passes, one lane: what OWASP asks for at least), off the
//! async threads, and only a few at once, since each takes its memory.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use shared::error::{Error, Result};
use tokio::sync::Semaphore;

pub(crate) struct Passwords {
    room: Arc<Semaphore>,
    /// Of no password: what an unknown user's attempt is checked against, so that it takes as long.
    nobody: String,
}

impl Passwords {
    pub(crate) async fn new(concurrency: usize) -> Result<Passwords> {
        let room = Arc::new(Semaphore::new(concurrency));
        let passwords = Passwords { room, nobody: String::new() };
        let nobody = passwords.hash(&uuid::Uuid::now_v7().to_string()).await?;
        Ok(Passwords { nobody, ..passwords })
    }

    /// A PHC string, with its salt and parameters in it.
    pub(crate) async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.work(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            Ok(hash.map_err(|error| Error::internal(error.to_string()))?.to_string())
        })
        .await
    }

    /// `hash` is `None` for an unknown user: as slow, and never right.
    pub(crate) async fn is_right(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let (password, known) = (password.to_owned(), hash.is_some());
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        self.work(move || {
            Ok(Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok() && known)
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let room = self.room.clone().acquire_owned().await.map_err(Error::internal)?;
        let work = move || {
            // Until the work has ended: who asked for it may be gone before.
            let _room = room;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;
    use shared::testing::eventually;

    use super::*;

    #[tokio::test]
    async fn who_gives_up_does_not_make_room_before_the_hash_is_done() {
        let passwords = Passwords::new(1).await.unwrap();
        assert!(passwords.hash("correct horse battery").now_or_never().is_none());
        assert_eq!(passwords.room.available_permits(), 0);
        let free = async || (passwords.room.available_permits() == 1).then_some(());
        eventually(Duration::from_secs(20), free).await;
    }
}
