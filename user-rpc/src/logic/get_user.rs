//! GetUser. A profile is read with every order; so it comes from the cache, and a change of one must delete it there.

use proto::user::v1::{GetUserRequest, Profile};
use shared::error::{Error, Result};

use super::profile;
use crate::model::user;
use crate::svc::ServiceContext;

pub(crate) async fn get_user(ctx: &ServiceContext, req: GetUserRequest) -> Result<Profile> {
    let (db, id) = (ctx.db.clone(), req.id.clone());
    let load = async move { user::profile(&db, &id).await };
    let found = ctx.profiles.get_or_load(&req.id, load).await?;
    found.map(profile).ok_or_else(|| Error::not_found("no such user"))
}
