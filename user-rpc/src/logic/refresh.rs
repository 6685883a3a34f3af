//! Refresh: a token is spent and its successor takes its place. A token that is spent twice was stolen, or its answer was
//! lost: within the grace it answers the same successor again, later its whole family is revoked (RFC 9700, 4.14).

use proto::user::v1::{RefreshRequest, Tokens};
use shared::error::{Code, Error, Result};
use shared::store::sql::Tx;
use shared::{clock, crash, transaction};

use super::{issue, tokens};
use crate::model::refresh_token::{self, RefreshToken};
use crate::model::user::{self, User};
use crate::svc::ServiceContext;

/// What the transaction came to; a reuse is revoked in it, so it must not be rolled back by an error.
enum Spent {
    Tokens(Tokens),
    Reused,
}

pub(crate) async fn refresh(ctx: &ServiceContext, req: RefreshRequest) -> Result<Tokens> {
    let token = req.refresh_token.as_str();
    let hash = refresh_token::hash(token);
    let spent: Spent = transaction!(ctx.db, |tx| {
        let now = clock::wall_ms();
        // First, and read afterwards: of two at once the slower one waits here, and then reads what the faster one wrote.
        let is_spent = refresh_token::spend(tx, &hash, now).await?;
        let row = refresh_token::find(tx, &hash).await?.ok_or_else(unknown)?;
        let user = user::by_id_in(tx, &row.user_id).await?.ok_or_else(unknown)?;
        if is_spent {
            let successor = ctx.signer.successor(token);
            return Ok(Spent::Tokens(issue(ctx, tx, &user, &row.family, successor).await?));
        }
        if row.expires_at <= now {
            let detail = "the refresh token is no longer valid";
            return Err(Error::new(Code::Unauthenticated, "token_expired", detail));
        }
        again(ctx, tx, token, &row, &user, now).await
    })?;
    crash::point("after_rotation");
    match spent {
        Spent::Tokens(tokens) => Ok(tokens),
        Spent::Reused => Err(Error::new(
            Code::Unauthenticated,
            "token_reused",
            "this refresh token was used before; log in again",
        )),
    }
}

/// A token that is spent or revoked already.
async fn again(
    ctx: &ServiceContext,
    tx: &mut Tx,
    token: &str,
    row: &RefreshToken,
    user: &User,
    now: i64,
) -> Result<Spent> {
    if row.revoked_at > 0 {
        return Ok(Spent::Reused);
    }
    let grace = ctx.config.token.grace.as_millis() as i64;
    let successor = ctx.signer.successor(token);
    let next = refresh_token::find(tx, &refresh_token::hash(&successor)).await?;
    match next {
        // A successor that was itself spent proves that the answer had arrived.
        Some(next) if now - row.rotated_at <= grace && next.rotated_at == 0 && next.revoked_at == 0 => {
            Ok(Spent::Tokens(tokens(ctx, user, successor, next.expires_at)?))
        }
        _ => {
            refresh_token::revoke_family(tx, &row.family, now).await?;
            Ok(Spent::Reused)
        }
    }
}

fn unknown() -> Error {
    Error::of(Code::Unauthenticated, "the refresh token is not valid")
}
