//! The keys of order-rpc beside those of every RPC service.

use std::time::Duration;

use serde::Deserialize;
use shared::config::{Faults, Mode, duration};
use shared::format::Format;
use shared::rpc::{client, server};
use shared::store::idempotency;
use shared::store::sql::DataSource;
use shared::{http_client, queue};

/// The most lines of an order, and so of a cart.
pub(crate) const MOST_LINES: usize = 50;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Config {
    /// ISO 4217: the shop sells in one currency.
    pub currency: String,
    pub data_source: DataSource,
    /// product-rpc.
    pub product: client::Conf,
    pub cart: Cart,
    #[serde(default)]
    pub order: Order,
    /// The payment provider.
    pub provider: http_client::Conf,
    #[serde(default)]
    pub reconcile: Reconcile,
    pub queue: queue::Conf,
    #[serde(default)]
    pub idempotency: idempotency::Conf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Cart {
    pub url: String,
    pub max_lines: usize,
    /// From its last change.
    #[serde(with = "duration")]
    pub ttl: Duration,
}

impl Default for Cart {
    fn default() -> Cart {
        Cart { url: String::new(), max_lines: MOST_LINES, ttl: Duration::from_secs(30 * 24 * 3600) }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Order {
    /// How long an order waits for its payment.
    #[serde(with = "duration")]
    pub expiry: Duration,
    /// How much longer its stock is held, so that no order outlives its hold.
    #[serde(with = "duration")]
    pub hold_margin: Duration,
    /// How long the answer to a cancellation or a refund waits for the stock to be back.
    #[serde(with = "duration")]
    pub stock_wait: Duration,
    pub sweep: Sweep,
}

impl Default for Order {
    fn default() -> Order {
        Order {
            expiry: Duration::from_secs(15 * 60),
            hold_margin: Duration::from_secs(60),
            stock_wait: Duration::from_millis(250),
            sweep: Sweep::default(),
        }
    }
}

/// Of orders that nobody paid in time.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Sweep {
    #[serde(with = "duration")]
    pub every: Duration,
    /// How many are read at once.
    pub batch: usize,
}

impl Default for Sweep {
    fn default() -> Sweep {
        Sweep { every: Duration::from_secs(1), batch: 100 }
    }
}

/// Of payments whose outcome is not known, and of money that is not back yet.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Reconcile {
    #[serde(with = "duration")]
    pub every: Duration,
    /// Between the end of a call and the first look; twice as long each time.
    #[serde(with = "duration")]
    pub after: Duration,
    /// The longest wait between two looks.
    #[serde(with = "duration")]
    pub back_off: Duration,
    /// How long one instance has a payment to itself.
    #[serde(with = "duration")]
    pub claim: Duration,
    /// How many are claimed and asked for at once.
    pub batch: usize,
}

impl Default for Reconcile {
    fn default() -> Reconcile {
        Reconcile {
            every: Duration::from_millis(500),
            after: Duration::from_secs(1),
            back_off: Duration::from_secs(30),
            claim: Duration::from_secs(10),
            batch: 8,
        }
    }
}

impl shared::config::Config for Config {
    type Listen = server::Conf;

    fn check(&self, _: Mode, faults: &mut Faults) {
        if !Format::Currency.fits(&self.currency) {
            faults.add("Currency", format!("must be {}", Format::Currency.description()));
        }
        if !(1..=MOST_LINES).contains(&self.cart.max_lines) {
            faults.add("Cart.MaxLines", format!("must be from 1 to {MOST_LINES}, as many as an order has"));
        }
        let positive = [
            ("Cart.Ttl", self.cart.ttl),
            ("Order.Expiry", self.order.expiry),
            ("Order.HoldMargin", self.order.hold_margin),
            ("Order.Sweep.Every", self.order.sweep.every),
            ("Reconcile.Every", self.reconcile.every),
            ("Reconcile.After", self.reconcile.after),
        ];
        for (key, value) in positive {
            if value.is_zero() {
                faults.add(key, "must be longer than nothing");
            }
        }
        let counts =
            [("Order.Sweep.Batch", self.order.sweep.batch), ("Reconcile.Batch", self.reconcile.batch)];
        for (key, value) in counts {
            if value == 0 {
                faults.add(key, "must be at least 1");
            }
        }
        // A look-up, and perhaps a void.
        if self.reconcile.claim <= self.provider.timeout * 2 {
            faults.add("Reconcile.Claim", "must be longer than twice Provider.Timeout");
        }
        if self.idempotency.lease <= self.provider.timeout + self.product.timeout * 2 {
            let fault = "must be longer than Provider.Timeout and twice Product.Timeout";
            faults.add("Idempotency.Lease", fault);
        }
        if self.idempotency.keep < Duration::from_secs(24 * 3600) {
            faults.add("Idempotency.Keep", "must be at least 24h");
        }
    }
}
