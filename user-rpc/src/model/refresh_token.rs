//! The table `refresh_tokens`: hashes of tokens, never tokens.

use sha2::{Digest, Sha256};
use shared::error::Result;
use shared::store::sql::{Db, Tx};
use shared::transaction;
use sqlx::Row;

pub(crate) struct RefreshToken {
    pub hash: String,
    pub family: String,
    pub user_id: String,
    pub expires_at: i64,
    /// 0 while it is good.
    pub rotated_at: i64,
    /// Likewise.
    pub revoked_at: i64,
}

pub(crate) fn hash(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) async fn insert(tx: &mut Tx, token: &RefreshToken) -> Result<()> {
    let insert = "INSERT INTO refresh_tokens (hash, family, user_id, expires_at, rotated_at, revoked_at) VALUES (?, ?, ?, ?, 0, 0)";
    sqlx::query(insert)
        .bind(&token.hash)
        .bind(&token.family)
        .bind(&token.user_id)
        .bind(token.expires_at)
        .execute(tx.named("refresh_tokens.insert"))
        .await?;
    Ok(())
}

pub(crate) async fn find(tx: &mut Tx, hash: &str) -> Result<Option<RefreshToken>> {
    let row = sqlx::query("SELECT * FROM refresh_tokens WHERE hash = ?")
        .bind(hash)
        .fetch_optional(tx.named("refresh_tokens.find"))
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(RefreshToken {
        hash: row.try_get("hash")?,
        family: row.try_get("family")?,
        user_id: row.try_get("user_id")?,
        expires_at: row.try_get("expires_at")?,
        rotated_at: row.try_get("rotated_at")?,
        revoked_at: row.try_get("revoked_at")?,
    }))
}

/// `false` where it was spent or revoked before, has ended, or is not known.
pub(crate) async fn spend(tx: &mut Tx, hash: &str, now: i64) -> Result<bool> {
    let update = "UPDATE refresh_tokens SET rotated_at = ? WHERE hash = ? AND rotated_at = 0 AND revoked_at = 0 AND expires_at > ?";
    Ok(sqlx::query(update)
        .bind(now)
        .bind(hash)
        .bind(now)
        .execute(tx.named("refresh_tokens.spend"))
        .await?
        .rows_affected()
        == 1)
}

pub(crate) async fn revoke_family(tx: &mut Tx, family: &str, now: i64) -> Result<()> {
    let update = "UPDATE refresh_tokens SET revoked_at = ? WHERE family = ? AND revoked_at = 0";
    sqlx::query(update).bind(now).bind(family).execute(tx.named("refresh_tokens.revoke_family")).await?;
    Ok(())
}

/// So many at a time, so that writers do not wait for long.
const FORGET: i64 = 1000;

/// What has ended tells nothing any more.
pub(crate) async fn delete_expired(db: &Db, before: i64) -> Result<()> {
    loop {
        let oldest = "SELECT expires_at FROM refresh_tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?";
        let oldest = sqlx::query_scalar(oldest).bind(before).bind(FORGET);
        let oldest: Vec<i64> = oldest.fetch_all(db.named("refresh_tokens.expired")).await?;
        let Some(last) = oldest.last() else { return Ok(()) };
        transaction!(db, |tx| {
            sqlx::query("DELETE FROM refresh_tokens WHERE expires_at <= ?")
                .bind(last)
                .execute(tx.named("refresh_tokens.delete_expired"))
                .await?;
            Ok(())
        })?;
    }
}
