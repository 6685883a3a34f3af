//! The use cases, one a file.

pub(crate) mod get_user;
pub(crate) mod list_keys;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod refresh;
pub(crate) mod register;

use proto::user::v1::{Profile, Tokens};
use shared::clock;
use shared::error::Result;
use shared::store::sql::Tx;

use crate::model::refresh_token::{self, RefreshToken};
use crate::model::user::{self, User};
use crate::svc::ServiceContext;

fn profile(user: impl Into<user::Profile>) -> Profile {
    let user::Profile { id, email, name, role, created_at } = user.into();
    Profile { id, email, name, role, created_at_ms: created_at }
}

/// Writes the refresh token down; the access token is a signature and needs no row.
async fn issue(
    ctx: &ServiceContext,
    tx: &mut Tx,
    user: &User,
    family: &str,
    refresh_token: String,
) -> Result<Tokens> {
    let row = RefreshToken {
        hash: refresh_token::hash(&refresh_token),
        family: family.to_owned(),
        user_id: user.id.clone(),
        expires_at: clock::wall_ms() + ctx.config.token.refresh_ttl.as_millis() as i64,
        rotated_at: 0,
        revoked_at: 0,
    };
    refresh_token::insert(tx, &row).await?;
    tokens(ctx, user, refresh_token, row.expires_at)
}

fn tokens(ctx: &ServiceContext, user: &User, refresh_token: String, expires_at: i64) -> Result<Tokens> {
    let conf = &ctx.config.token;
    Ok(Tokens {
        access_token: ctx.signer.access_token(conf, &user.id, &user.role)?,
        expires_in: conf.access_ttl.as_secs() as i64,
        refresh_token,
        refresh_expires_in: (expires_at - clock::wall_ms()) / 1000,
    })
}

/// The domain of an address knows no case; what stands before it may (RFC 5321, 2.4).
fn normalized(email: &str) -> String {
    match email.trim().rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
        None => email.trim().to_owned(),
    }
}
