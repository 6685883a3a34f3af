//! The whole shop in one process: the payment provider, the three services and the gateway, with real gRPC and HTTP
//! between them, as if they were apart. [`start`] is the one door, for `main` and for tests.

pub mod config;
mod folder;
mod overlay;
mod screen;
mod services;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;
use serde_json::Value;
use shared::config::{Loaded, Mode};
use shared::error::BoxError;
use shared::lifecycle::Lifecycle;
use shared::serve;

use crate::config::Listen;
use crate::folder::{Folder, Locked};
use crate::services::Services;

/// The whole shop in one process.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub struct Arguments {
    /// What is different from the configuration that comes with the shop.
    #[arg(short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Where the shop keeps its data.
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    data: Option<PathBuf>,
    /// Keep nothing.
    #[arg(long)]
    ephemeral: bool,
}

/// Runs a shop as a process, until a signal comes.
pub fn run(arguments: Arguments) -> ExitCode {
    let Loaded { service, listen, own } = match config::load(arguments.file.as_deref()) {
        Ok(loaded) => loaded,
        Err(error) => return shared::service::refuse(&shared::error::chain(&error)),
    };
    let options = Options {
        mode: service.mode,
        listen,
        data: match (arguments.data, arguments.ephemeral || own.ephemeral) {
            (Some(folder), _) => Some(folder),
            (None, true) => None,
            (None, false) => Some(own.data),
        },
        services: own.services,
    };
    // Before the admin port, which that shop has as well.
    if let Some(Err(error)) = options.data.as_deref().map(folder::unlocked) {
        return shared::service::refuse(&shared::error::chain(&error));
    }
    shared::service::run(&service, async |lifecycle: &Lifecycle| {
        let shop = start(options, lifecycle).await?;
        screen::show(&shop, &service);
        Ok(())
    })
}

/// What a shop is started with.
#[derive(Debug, Clone)]
pub struct Options {
    pub mode: Mode,
    pub listen: Listen,
    /// A temporary folder where there is none.
    pub data: Option<PathBuf>,
    /// By a service's name: what its own configuration is overlaid with.
    pub services: BTreeMap<String, Value>,
}

/// Where a shop is. It ends with its lifecycle.
#[derive(Debug, Clone)]
pub struct Shop {
    pub gateway: SocketAddr,
    pub payments: SocketAddr,
    pub data: PathBuf,
}

/// Starts a shop under `process`, which may be the process itself or a test. Several shops can live at once.
pub async fn start(options: Options, process: &Lifecycle) -> Result<Shop, BoxError> {
    static SHOPS: AtomicU64 = AtomicU64::new(1);
    let shop = format!("shop-{}", SHOPS.fetch_add(1, Ordering::Relaxed));
    let folder = Folder::new(options.data.as_deref())?;
    let data = folder.path().to_owned();
    let Services { payment_sim, user_rpc, product_rpc, mut order_rpc, order_api } =
        Services::load(&options, &shop, &data)?;
    if options.listen.port != 0 {
        // The gateway starts last, and a port that is taken should cost nothing.
        drop(serve::bind(&options.listen.host, options.listen.port).await?);
    }
    hold(folder.lock()?, process);
    let payments = services::start("payment-sim", payment_sim::start, payment_sim, process).await?.address;
    order_rpc.own.provider.url = format!("http://{payments}");
    services::start("user-rpc", user_rpc::start, user_rpc, process).await?;
    services::start("product-rpc", product_rpc::start, product_rpc, process).await?;
    services::start("order-rpc", order_rpc::start, order_rpc, process).await?;
    let gateway = services::start("order-api", order_api::start, order_api, process).await?.address;
    Ok(Shop { gateway, payments, data })
}

/// Until the services have ended, which is before the process' own tasks do.
fn hold(folder: Locked, process: &Lifecycle) {
    let owner = process.clone();
    process.spawn("hold the data folder", async move {
        owner.stopping().await;
        tokio::task::spawn_blocking(|| folder.leave()).await??;
        Ok::<(), BoxError>(())
    });
}
