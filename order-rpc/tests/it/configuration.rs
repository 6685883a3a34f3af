//! The configuration that comes with the service, and what is refused.

use std::path::Path;

use order_rpc::config::Config;
use shared::config;
use shared::lifecycle::{Lifecycle, Shutdown};

use crate::world::configuration;

fn with(from: &str, to: &str) -> Result<(), String> {
    let text = include_str!("../../etc/order-rpc.yaml");
    assert!(text.contains(from), "{from}");
    let text = text.replace(from, to);
    config::parse::<Config>("order-rpc.yaml", &text, &|_| None).map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn the_file_says_what_is_so_without_it() {
    let written = configuration(Path::new("data")).own;
    assert_eq!(written.order.expiry, order_rpc::config::Order::default().expiry);
    assert_eq!(format!("{:?}", written.order), format!("{:?}", order_rpc::config::Order::default()));
    assert_eq!(format!("{:?}", written.reconcile), format!("{:?}", order_rpc::config::Reconcile::default()));
    assert_eq!(
        format!("{:?}", written.idempotency),
        format!("{:?}", shared::store::idempotency::Conf::default())
    );
    assert_eq!(format!("{:?}", written.queue.relay), format!("{:?}", shared::queue::outbox::Conf::default()));
    let cart = order_rpc::config::Cart { url: "memory://cart".into(), ..Default::default() };
    assert_eq!(format!("{:?}", written.cart), format!("{cart:?}"));
}

#[test]
fn what_does_not_fit_together_is_refused_with_its_key() {
    for (from, to, fault) in [
        ("Currency: EUR", "Currency: euro", "Currency: must be a currency code"),
        ("MaxLines: 50", "MaxLines: 51", "Cart.MaxLines: must be from 1 to 50"),
        ("Expiry: 15m", "Expiry: 0s", "Order.Expiry: must be longer than nothing"),
        ("Batch: 100", "Batch: 0", "Order.Sweep.Batch: must be at least 1"),
        ("Claim: 10s", "Claim: 6s", "Reconcile.Claim: must be longer than twice Provider.Timeout"),
        ("Lease: 30s", "Lease: 7s", "Idempotency.Lease: must be longer than"),
        ("Keep: 48h", "Keep: 23h", "Idempotency.Keep: must be at least 24h"),
        ("MaxLines: 50", "MaxLine: 50", "Cart.MaxLine: unknown key; did you mean `MaxLines`?"),
    ] {
        let refused = with(from, to).unwrap_err();
        assert!(refused.contains(fault), "{refused}");
    }
    with("Expiry: 15m", "Expiry: 20m").unwrap();
}

#[tokio::test]
async fn a_provider_may_not_take_longer_than_a_call() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut loaded = configuration(folder.path());
    loaded.listen.port = 0;
    loaded.listen.timeout = loaded.own.provider.timeout;
    let lifecycle = Lifecycle::new("order-rpc", &Shutdown::default());
    let refused = order_rpc::start(loaded.listen, loaded.own, loaded.service.mode, &lifecycle).await;
    assert_eq!(refused.unwrap_err().to_string(), "Provider.Timeout: must be shorter than Timeout");
}
