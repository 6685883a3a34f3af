//! The services of a shop in one process: each from its own configuration, with what one process says differently.

use serde_json::Value;
use shared::config::{self, Config, Loaded, Mode};
use shared::error::BoxError;
use shared::lifecycle::Lifecycle;
use shared::pipeline::ambient::{self, Ambient};
use shared::service::Running;

use crate::Options;

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
    pub(crate) fn load(options: &Options, shop: &str, data: &str) -> Result<Services, config::Error> {
        let environment = |name: &str| match name {
            "MODE" => Some(mode(options.mode).to_owned()),
            "DATA" => Some(data.to_owned()),
            "PAYMENT_URL" => Some(LATER.to_owned()),
            "REGISTRY" | "CART" => Some(format!("memory://{shop}")),
            "QUEUE" => Some(format!("memory://{shop}?groups=product-rpc")),
            _ => config::environment(name),
        };
        let reader = Reader { options, environment: &environment };
        let mut services = Services {
            payment_sim: reader
                .read("payment-sim", include_str!("../../payment-sim/etc/payment-sim.yaml"))?,
            user_rpc: reader.read("user-rpc", include_str!("../../user-rpc/etc/user-rpc.yaml"))?,
            product_rpc: reader
                .read("product-rpc", include_str!("../../product-rpc/etc/product-rpc.yaml"))?,
            order_rpc: reader.read("order-rpc", include_str!("../../order-rpc/etc/order-rpc.yaml"))?,
            order_api: reader.read("order-api", include_str!("../../order-api/etc/order-api.yaml"))?,
        };
        services.payment_sim.listen.port = 0;
        services.user_rpc.listen.port = 0;
        services.product_rpc.listen.port = 0;
        services.order_rpc.listen.port = 0;
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
}

impl Reader<'_> {
    fn read<C: Config>(&self, name: &str, text: &str) -> Result<Loaded<C>, config::Error> {
        let path = format!("the configuration of {name}");
        let Some(different) = self.options.services.get(name) else {
            return config::parse(&path, text, self.environment);
        };
        let mut whole: Value = serde_saphyr::from_str(text)
            .map_err(|error| config::Error::Malformed { path: path.clone(), detail: error.to_string() })?;
        overlay(&mut whole, different);
        // JSON is YAML.
        config::parse(&path, &whole.to_string(), self.environment)
    }
}

/// Maps are merged; everything else is replaced.
fn overlay(whole: &mut Value, different: &Value) {
    match (whole, different) {
        (Value::Object(whole), Value::Object(different)) => {
            for (key, value) in different {
                overlay(whole.entry(key).or_insert(Value::Null), value);
            }
        }
        (whole, different) => *whole = different.clone(),
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::overlay;

    #[test]
    fn an_overlay_changes_what_it_names_and_nothing_else() {
        let mut whole = json!({"A": {"B": 1, "C": [1, 2]}, "D": "x"});
        overlay(&mut whole, &json!({"A": {"C": [3], "E": {"F": true}}}));
        assert_eq!(whole, json!({"A": {"B": 1, "C": [3], "E": {"F": true}}, "D": "x"}));
    }
}
