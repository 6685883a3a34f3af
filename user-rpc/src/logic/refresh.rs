//! Refresh: a token is spent and its successor takes its place. A token that is spent twice was stolen, or its answer was
//! lost: within the grace it answers the same successor again, later its whole family is revoked (RFC 9700, 4.14).

use proto::user::v1::{RefreshRequest, Tokens};
use shared::error::{Code, Error, Result};
use shared::store::sql::Tx;
use shared::{clock, transaction};

use super::{issue, tokens};
use crate::model::refresh_token::{self, RefreshToken};
use crate::model::user;
use crate::svc::ServiceContext;

/// What the transaction came to; a reuse is revoked in it, so it must not be rolled back by an error.
enum Spent {
    Tokens(Tokens),
    Reused,
}

pub(crate) async fn refresh(ctx: &ServiceContext, req: RefreshRequest) -> Result<Tokens> {
    let hash = refresh_token::hash(&req.refresh_token);
    let spent: Spent = transaction!(ctx.db, |tx| {
        let now = clock::wall_ms();
        let Some(row) = refresh_token::find(tx, &hash).await? else { return Err(unknown()) };
        if row.expires_at <= now {
            return Err(Error::new(
                Code::Unauthenticated,
                "token_expired",
                "the refresh token is no longer valid",
            ));
        }
        if row.revoked_at > 0 {
            return Ok(Spent::Reused);
        }
        rotate(ctx, tx, &req.refresh_token, &row, now).await
    })?;
    match spent {
        Spent::Tokens(tokens) => Ok(tokens),
        Spent::Reused => Err(Error::new(
            Code::Unauthenticated,
            "token_reused",
            "this refresh token was used before; log in again",
        )),
    }
}

async fn rotate(
    ctx: &ServiceContext,
    tx: &mut Tx,
    token: &str,
    row: &RefreshToken,
    now: i64,
) -> Result<Spent> {
    let user = user::by_id_in(tx, &row.user_id).await?.ok_or_else(unknown)?;
    let successor = ctx.signer.successor(token);
    if refresh_token::spend(tx, &row.hash, now).await? {
        return Ok(Spent::Tokens(issue(ctx, tx, &user, &row.family, successor).await?));
    }
    let grace = ctx.config.token.grace.as_millis() as i64;
    let next = refresh_token::find(tx, &refresh_token::hash(&successor)).await?;
    match next {
        // A successor that was itself spent proves that the answer had arrived.
        Some(next) if now - row.rotated_at <= grace && next.rotated_at == 0 && next.revoked_at == 0 => {
            Ok(Spent::Tokens(tokens(ctx, &user, successor, next.expires_at)?))
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
