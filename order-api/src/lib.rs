//! The gateway: what `order.api` says, over REST, out of the answers of the services behind it. [`start`] is the one door,
//! for `main`, for the shop in one process, and for tests. It keeps nothing: no database, and of keys only public ones.

mod admin_only;
mod api;
pub mod config;
mod convert;
mod keys;
mod live;
mod logic;
mod pictures;
mod svc;

use shared::config::Mode;
use shared::error::BoxError;
use shared::lifecycle::Lifecycle;
use shared::pipeline::auth::Verifier;
use shared::rest::{self, Server};
use shared::serve;
use shared::service::Running;

use crate::config::Config;
use crate::svc::ServiceContext;

pub async fn start(
    listen: rest::Conf,
    config: Config,
    _: Mode,
    lifecycle: &Lifecycle,
) -> Result<Running, BoxError> {
    let listener = serve::bind(&listen.host, listen.port).await?;
    let ctx = ServiceContext::connect(&config, lifecycle).await?;
    keys::follow(&ctx, &config.keys, lifecycle);
    let verifier = Verifier::new(ctx.keys.clone(), &config.auth);
    let server = Server::new(&listen, lifecycle, Some(verifier));
    let router = pictures::beside(api::routes(&server, &ctx), &server, &config.pictures);
    let address = rest::start(listener, router, &listen, lifecycle)?;
    Ok(Running { name: lifecycle.name(), address })
}
