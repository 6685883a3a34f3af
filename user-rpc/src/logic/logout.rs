//! Logout: revokes the token's family. What is not known is not there any more, which is what was asked for.

use proto::user::v1::{LogoutRequest, LogoutResponse};
use shared::error::Result;
use shared::{clock, transaction};

use crate::model::refresh_token;
use crate::svc::ServiceContext;

pub(crate) async fn logout(ctx: &ServiceContext, req: LogoutRequest) -> Result<LogoutResponse> {
    let hash = refresh_token::hash(&req.refresh_token);
    transaction!(ctx.db, |tx| {
        if let Some(row) = refresh_token::find(tx, &hash).await? {
            refresh_token::revoke_family(tx, &row.family, clock::wall_ms()).await?;
        }
        Ok(LogoutResponse {})
    })
}
