//! Customers and the tokens that prove who they are. [`start`] is the one door, for `main`, for the shop in one process,
//! and for tests.

pub mod config;
mod logic;
mod model;
mod password;
mod server;
mod signer;
mod svc;

use std::time::Duration;

use proto::user::v1::user_server::UserServer;
use shared::clock;
use shared::config::Mode;
use shared::error::{BoxError, Code};
use shared::lifecycle::Lifecycle;
use shared::rpc;
use shared::serve;
use shared::service::Running;
use shared::store::cache::Cache;
use shared::store::sql::Db;
use tonic::service::Routes;

use crate::config::{Account, Config};
use crate::model::refresh_token;
use crate::password::Passwords;
use crate::signer::Signer;
use crate::svc::{Parts, ServiceContext};

pub async fn start(
    listen: rpc::server::Conf,
    config: Config,
    mode: Mode,
    lifecycle: &Lifecycle,
) -> Result<Running, BoxError> {
    let listener = serve::bind(&listen.host, listen.port).await?;
    let db = Db::open(&config.data_source, &model::MIGRATIONS, lifecycle).await?;
    let signer = Signer::load(&config.token, mode)?;
    let passwords = Passwords::new(config.password.concurrency).await?;
    let profiles = Cache::try_new("user.profile", &config.cache, lifecycle)?;
    let ctx = ServiceContext::new(Parts { config, db, profiles, passwords, signer });
    seed(&ctx, &ctx.config.admin, "Admin", "admin").await?;
    if mode.is_development() {
        seed(&ctx, &ctx.config.demo, "Demo", "customer").await?;
    }
    forget_expired(&ctx, lifecycle);
    let routes = Routes::new(UserServer::new(ctx));
    let address = rpc::server::start(listener, routes, proto::DESCRIPTORS, &listen, lifecycle).await?;
    Ok(Running { name: lifecycle.name(), address })
}

/// An account that is there already keeps its password.
async fn seed(ctx: &ServiceContext, account: &Account, name: &str, role: &str) -> Result<(), BoxError> {
    if model::user::by_email(&ctx.db, &account.email).await?.is_some() {
        return Ok(());
    }
    match logic::register::create(ctx, &account.email, account.password.expose(), name, role).await {
        // Another instance was faster.
        Err(error) if error.code() == Code::Conflict => Ok(()),
        made => Ok(made.map(|_| ())?),
    }
}

fn forget_expired(ctx: &ServiceContext, lifecycle: &Lifecycle) {
    let (ctx, owner) = (ctx.clone(), lifecycle.clone());
    lifecycle.spawn("forget refresh tokens", async move {
        while owner.pause(Duration::from_secs(3600)).await {
            if let Err(error) = refresh_token::delete_expired(&ctx.db, clock::wall_ms()).await {
                tracing::warn!(error = error.chain(), "expired refresh tokens stay for now");
            }
        }
        Ok::<(), BoxError>(())
    });
}
