//! GetUser.

use proto::user::v1::{GetUserRequest, Profile};
use shared::error::{Error, Result};

use super::profile;
use crate::model::user;
use crate::svc::ServiceContext;

pub(crate) async fn get_user(ctx: &ServiceContext, req: GetUserRequest) -> Result<Profile> {
    let user = user::by_id(&ctx.db, &req.id).await?;
    user.map(profile).ok_or_else(|| Error::not_found("no such user"))
}
