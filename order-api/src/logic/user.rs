//! Users and their tokens.

use http::header::CACHE_CONTROL;
use proto::user::v1::{GetUserRequest, LoginRequest, LogoutRequest, RefreshRequest, RegisterRequest};
use shared::error::{Code, Error, Result};
use shared::pipeline::auth::{Caller, Jwk};
use shared::rest::Reply;

use crate::api::types::{Key, KeySet, LoginReq, RefreshReq, RegisterReq, Tokens, User};
use crate::convert;
use crate::svc::ServiceContext;

pub(crate) async fn register(ctx: &ServiceContext, req: RegisterReq) -> Result<Reply<User>> {
    let RegisterReq { email, password, name } = req;
    let profile = ctx.user().register(RegisterRequest { email, password, name }).await?.into_inner();
    Ok(Reply::created(convert::user(profile)))
}

pub(crate) async fn login(ctx: &ServiceContext, req: LoginReq) -> Result<Reply<Tokens>> {
    let LoginReq { email, password } = req;
    let tokens = ctx.user().login(LoginRequest { email, password }).await?.into_inner();
    Ok(secret(convert::tokens(tokens)))
}

pub(crate) async fn refresh(ctx: &ServiceContext, req: RefreshReq) -> Result<Reply<Tokens>> {
    let RefreshReq { refresh_token } = req;
    let tokens = ctx.user().refresh(RefreshRequest { refresh_token }).await?.into_inner();
    Ok(secret(convert::tokens(tokens)))
}

/// Nobody on the way may keep it (RFC 6749, 5.1).
fn secret(tokens: Tokens) -> Reply<Tokens> {
    Reply::ok(tokens).header(CACHE_CONTROL, "no-store")
}

pub(crate) async fn logout(ctx: &ServiceContext, req: RefreshReq) -> Result<()> {
    let RefreshReq { refresh_token } = req;
    ctx.user().logout(LogoutRequest { refresh_token }).await?;
    Ok(())
}

pub(crate) async fn get_me(ctx: &ServiceContext, caller: Caller) -> Result<User> {
    let found = ctx.user().get_user(GetUserRequest { id: caller.id }).await.map_err(Error::from);
    match found {
        Ok(profile) => Ok(convert::user(profile.into_inner())),
        // The token outlived its user.
        Err(error) if error.code() == Code::NotFound => {
            Err(Error::of(Code::Unauthenticated, "this user is no longer here").caused_by(error))
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn list_keys(ctx: &ServiceContext) -> Result<KeySet> {
    let keys: Vec<Key> = ctx.keys.all().into_iter().map(key).collect();
    if keys.is_empty() { Err(Error::unavailable("the keys are not known yet")) } else { Ok(KeySet { keys }) }
}

fn key(jwk: Jwk) -> Key {
    let Jwk { kty, crv, alg, usage, kid, x } = jwk;
    Key { kty, crv, alg, r#use: usage, kid, x }
}
