//! What a person sees who starts the shop: where to go.

use std::io::Write as _;

use shared::config::{Mode, Service};

use crate::Shop;

pub(crate) fn show(shop: &Shop, service: &Service) {
    // Where nobody reads there is nobody to tell.
    writeln!(std::io::stdout(), "{}", text(shop, service)).ok();
}

fn text(shop: &Shop, service: &Service) -> String {
    let Shop { gateway, payments, data } = shop;
    let admin = format!("{}:{}", service.prometheus.host, service.prometheus.port);
    let (metrics, data, accounts) = (&service.prometheus.path, data.display(), accounts(service.mode));
    format!(
        r#"
  The shop is open at    http://{gateway}
  Metrics and health     http://{admin}{metrics}  /healthz  /readyz
  Payment provider       http://{payments}  (a simulator: no money moves)
  Data                   {data}
{accounts}
  curl 'http://{gateway}/v1/products?category=workshop'
  TOKEN=$(curl -s http://{gateway}/v1/users/login -H 'Content-Type: application/json' \
    -d '{{"email":"demo@example.com","password":"demo-development-only"}}' | cut -d'"' -f4)
  curl http://{gateway}/v1/cart/items/claw-hammer -X PUT -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/json' -d '{{"quantity":2}}'

  Ctrl-C stops it.
"#
    )
}

/// Those that are there in development alone, or have a password that everybody knows.
fn accounts(mode: Mode) -> &'static str {
    if !mode.is_development() {
        return "";
    }
    "
  Accounts               demo@example.com   demo-development-only   a customer
                         admin@example.com  admin-development-only  an administrator, if ADMIN_PASSWORD is not set
  Card                   4242424242424242   any date to come, any three digits
"
}
