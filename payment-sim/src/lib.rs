//! A payment provider that moves no money: another company's server, which remembers whom it charged. [`start`] is the one
//! door, for `main`, for the shop in one process, and for tests.

pub mod config;

mod api;
mod card;
mod logic;
mod model;
mod svc;

use shared::config::Mode;
use shared::error::BoxError;
use shared::lifecycle::Lifecycle;
use shared::rest::{self, Server};
use shared::serve;
use shared::service::Running;
use shared::store::sql::Db;

use crate::config::Config;
use crate::svc::ServiceContext;

pub async fn start(
    listen: rest::Conf,
    config: Config,
    _: Mode,
    lifecycle: &Lifecycle,
) -> Result<Running, BoxError> {
    let listener = serve::bind(&listen.host, listen.port).await?;
    let db = Db::open(&config.data_source, &model::MIGRATIONS, lifecycle).await?;
    let ctx = ServiceContext::new(config, db, lifecycle.clone());
    let routes = api::routes(&Server::new(&listen, lifecycle, None), &ctx);
    let address = rest::start(listener, routes, &listen, lifecycle)?;
    Ok(Running { name: lifecycle.name(), address })
}
