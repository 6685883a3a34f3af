//! Asks user-rpc for the public keys of access tokens: until there are some, from time to time, and soon after a token
//! named one that is not known, as after a rotation. Until there are some, the gateway is not ready.

use proto::user::v1::ListKeysRequest;
use shared::error::{BoxError, Error, Result};
use shared::lifecycle::Lifecycle;
use shared::pipeline::auth::Jwk;

use crate::config::Keys;
use crate::svc::ServiceContext;

/// For as long as the lifecycle lives.
pub(crate) fn follow(ctx: &ServiceContext, conf: &Keys, lifecycle: &Lifecycle) {
    let known = ctx.keys.clone();
    lifecycle.ready_while("the keys of access tokens", move || {
        let is_ready = !known.is_empty();
        async move { if is_ready { Ok(()) } else { Err("user-rpc has not told them yet".into()) } }
    });
    let (ctx, conf, owner) = (ctx.clone(), conf.clone(), lifecycle.clone());
    lifecycle.spawn("follow keys", async move {
        let asking = async {
            loop {
                if let Err(error) = ask(&ctx).await {
                    tracing::warn!(error = error.chain(), "the keys of access tokens stay as they are");
                }
                tokio::time::sleep(conf.pause).await;
                if !ctx.keys.is_empty() {
                    tokio::time::timeout(conf.interval - conf.pause, ctx.keys.missed()).await.ok();
                }
            }
        };
        tokio::select! {
            () = asking => {}
            () = owner.stopping() => {}
        }
        Ok::<(), BoxError>(())
    });
}

async fn ask(ctx: &ServiceContext) -> Result<()> {
    let told = ctx.user().list_keys(ListKeysRequest {}).await?.into_inner().keys;
    if told.is_empty() {
        return Err(Error::internal("user-rpc told no keys"));
    }
    ctx.keys.replace(told.into_iter().map(|key| Jwk::ed25519(key.kid, key.x)).collect());
    Ok(())
}
