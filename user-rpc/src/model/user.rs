//! The table `users`.

use serde::{Deserialize, Serialize};
use shared::error::Result;
use shared::store::sql::{Db, Tx};
use sqlx::FromRow;
use sqlx::Row;
use sqlx::any::AnyRow;

/// No `Debug`: the hash of a password is for no log.
#[derive(Clone)]
pub(crate) struct User {
    pub id: String,
    pub email: String,
    pub name: String,
    pub role: String,
    pub password_hash: String,
    pub created_at: i64,
}

/// What others may see of a user: the part of the row that is cached, so nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub id: String,
    pub email: String,
    pub name: String,
    pub role: String,
    pub created_at: i64,
}

impl From<User> for Profile {
    fn from(user: User) -> Profile {
        let User { id, email, name, role, created_at, .. } = user;
        Profile { id, email, name, role, created_at }
    }
}

impl FromRow<'_, AnyRow> for User {
    fn from_row(row: &AnyRow) -> Result<User, sqlx::Error> {
        Ok(User {
            id: row.try_get("id")?,
            email: row.try_get("email")?,
            name: row.try_get("name")?,
            role: row.try_get("role")?,
            password_hash: row.try_get("password_hash")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// Fails with a duplicate where the e-mail is known.
pub(crate) async fn insert(tx: &mut Tx, user: &User) -> Result<()> {
    let insert =
        "INSERT INTO users (id, email, name, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?)";
    sqlx::query(insert)
        .bind(&user.id)
        .bind(&user.email)
        .bind(&user.name)
        .bind(&user.role)
        .bind(&user.password_hash)
        .bind(user.created_at)
        .execute(tx.named("users.insert"))
        .await?;
    Ok(())
}

pub(crate) async fn profile(db: &Db, id: &str) -> Result<Option<Profile>> {
    let select = sqlx::query("SELECT id, email, name, role, created_at FROM users WHERE id = ?").bind(id);
    let Some(row) = select.fetch_optional(db.named("users.profile")).await? else { return Ok(None) };
    Ok(Some(Profile {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        created_at: row.try_get("created_at")?,
    }))
}

pub(crate) async fn by_email(db: &Db, email: &str) -> Result<Option<User>> {
    let select = sqlx::query_as("SELECT * FROM users WHERE email = ?").bind(email);
    Ok(select.fetch_optional(db.named("users.by_email")).await?)
}

pub(crate) async fn by_id_in(tx: &mut Tx, id: &str) -> Result<Option<User>> {
    let select = sqlx::query_as("SELECT * FROM users WHERE id = ?").bind(id);
    Ok(select.fetch_optional(tx.named("users.by_id")).await?)
}
