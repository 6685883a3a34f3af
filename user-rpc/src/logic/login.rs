//! Login: e-mail and password become tokens. Unknown and wrong look the same, and take as long.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proto::user::v1::{LoginRequest, Tokens};
use shared::error::{Code, Error, Result};
use shared::transaction;
use uuid::Uuid;

use super::{issue, normalized};
use crate::model::user;
use crate::svc::ServiceContext;

pub(crate) async fn login(ctx: &ServiceContext, req: LoginRequest) -> Result<Tokens> {
    let user = user::by_email(&ctx.db, &normalized(&req.email)).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let is_right = ctx.passwords.is_right(&req.password, hash).await?;
    let Some(user) = user.filter(|_| is_right) else {
        return Err(Error::new(Code::Unauthenticated, "invalid_credentials", "e-mail or password is wrong"));
    };
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Error::internal(error.to_string()))?;
    let (token, family) = (URL_SAFE_NO_PAD.encode(random), Uuid::now_v7().to_string());
    transaction!(ctx.db, |tx| { issue(ctx, tx, &user, &family, token.clone()).await })
}
