//! ListKeys.

use proto::user::v1::ListKeysResponse;
use shared::error::Result;

use crate::svc::ServiceContext;

pub(crate) async fn list_keys(ctx: &ServiceContext) -> Result<ListKeysResponse> {
    Ok(ListKeysResponse { keys: ctx.signer.public_keys() })
}
