//! The services of a shop in one process: each from its own configuration, with what one process says differently.

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::Value;
use shared::config::{self, Config, Loaded, Mode};
use shared::error::{BoxError, chain};
use shared::lifecycle::Lifecycle;
use shared::pipeline::ambient::{self, Ambient};
use shared::service::Running;

use crate::{Options, overlay};

/// In the order in which they start: each finds running what it needs.
pub(crate) const NAMES: [&str; 5] = ["payment-sim", "user-rpc", "product-rpc", "order-rpc", "order-api"];

/// Stands for the provider's address until it is known.
const LATER: &str = "http://127.0.0.1:1";

/// All configurations, checked before anything starts.
pub(crate) struct Services {
    pub(crate) payment_sim: Loaded<payment_sim::config::Config>,
    pub(crate) user_rpc: Loaded<user_rpc::config::Config>,
    pub(crate) product_rpc: Loaded<product_rpc::config::Config>,
    pub(crate) order_rpc: Loaded<order_rpc::config::Config>,
    pub(crate) order_api: Loaded<order_api::config::Config>,
}

impl Services {
    /// `shop` is a name that no other shop of this process has, `data` its folder.
    pub(crate) fn load(options: &Options, shop: &str, data: &Path) -> Result<Services, Faulty> {
        let environment = |name: &str| match name {
            "MODE" => Some(mode(options.mode).to_owned()),
            "DATA" => Some(data.display().to_string()),
            "PAYMENT_URL" => Some(LATER.to_owned()),
            "REGISTRY" | "CART" => Some(format!("memory://{shop}")),
            "QUEUE" => Some(format!("memory://{shop}?groups=product-rpc")),
            _ => config::environment(name),
        };
        let mut reader = Reader { options, environment: &environment, faults: Vec::new() };
        let read = (
            reader.read("payment-sim", include_str!("../../payment-sim/etc/payment-sim.yaml")),
            reader.read("user-rpc", include_str!("../../user-rpc/etc/user-rpc.yaml")),
            reader.read("product-rpc", include_str!("../../product-rpc/etc/product-rpc.yaml")),
            reader.read("order-rpc", include_str!("../../order-rpc/etc/order-rpc.yaml")),
            reader.read("order-api", include_str!("../../order-api/etc/order-api.yaml")),
        );
        let (Some(payment_sim), Some(user_rpc), Some(product_rpc), Some(order_rpc), Some(order_api)) = read
        else {
            return Err(Faulty(reader.faults));
        };
        let mut services = Services { payment_sim, user_rpc, product_rpc, order_rpc, order_api };
        services.payment_sim.listen.port = 0;
        services.user_rpc.listen.port = 0;
        services.product_rpc.listen.port = 0;
        services.order_rpc.listen.port = 0;
        services.payment_sim.own.data_source.url = database(data, "payment.db");
        services.user_rpc.own.data_source.url = database(data, "user.db");
        services.product_rpc.own.data_source.url = database(data, "product.db");
        services.order_rpc.own.data_source.url = database(data, "order.db");
        services.order_api.listen.host.clone_from(&options.listen.host);
        services.order_api.listen.port = options.listen.port;
        Ok(services)
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Dev => "dev",
        Mode::Test => "test",
        Mode::Pre => "pre",
        Mode::Pro => "pro",
    }
}

struct Reader<'a> {
    options: &'a Options,
    environment: &'a dyn Fn(&str) -> Option<String>,
    /// Of all services.
    faults: Vec<String>,
}

impl Reader<'_> {
    fn read<C: Config>(&mut self, name: &str, base: &str) -> Option<Loaded<C>> {
        let different = self.options.services.get(name).unwrap_or(&Value::Null);
        match overlay::parse(name, base, different, self.environment) {
            Ok(loaded) => return Some(loaded),
            Err(config::Error::Faulty { faults, .. }) => {
                self.faults.extend(faults.iter().map(|fault| format!("Services.{name}.{fault}")));
            }
            Err(error) => self.faults.push(chain(&error)),
        }
        None
    }
}

/// All that is wrong with the configurations of all services.
#[derive(Debug, thiserror::Error)]
#[error("the services cannot be configured so:\n  {}", .0.join("\n  "))]
pub(crate) struct Faulty(Vec<String>);

/// The URL of a database in the folder, whose name may have characters that mean something else in a URL.
fn database(data: &Path, file: &str) -> String {
    const LITERAL: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    let path = data.join(file);
    format!("sqlite://{}", percent_encode(path.as_os_str().as_encoded_bytes(), LITERAL))
}

/// Starts a service as a child of the process. What it logs meanwhile carries its name.
pub(crate) async fn start<C, S>(
    name: &str,
    start: S,
    loaded: Loaded<C>,
    process: &Lifecycle,
) -> Result<Running, BoxError>
where
    C: Config,
    S: AsyncFnOnce(C::Listen, C, Mode, &Lifecycle) -> Result<Running, BoxError>,
{
    let child = process.child(name);
    let around = Ambient { service: child.name(), ..Ambient::default() };
    let Loaded { service, listen, own } = loaded;
    let started = async {
        let running = start(listen, own, service.mode, &child).await?;
        child.started();
        tracing::info!(address = %running.address, "listening");
        Ok::<Running, BoxError>(running)
    };
    ambient::scope(around, started)
        .await
        .map_err(|source| NotStarted { name: name.to_owned(), source }.into())
}

#[derive(Debug, thiserror::Error)]
#[error("{name} does not start")]
struct NotStarted {
    name: String,
    source: BoxError,
}
