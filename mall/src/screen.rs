//! What a person sees who starts the shop: where to go.

use shared::telemetry::Prometheus;

use crate::Shop;

#[expect(clippy::print_stdout, reason = "a person reads this")]
pub(crate) fn show(shop: &Shop, admin: &Prometheus) {
    println!("{}", text(shop, admin));
}

fn text(shop: &Shop, admin: &Prometheus) -> String {
    let Shop { gateway, payments, data } = shop;
    let Prometheus { host, port, path } = admin;
    let data = data.display();
    format!(
        r#"
  The shop is open at    http://{gateway}
  Metrics and health     http://{host}:{port}{path}  /healthz  /readyz
  Payment provider       http://{payments}  (a simulator: no money moves)
  Data                   {data}

  Accounts               demo@example.com   demo-development-only   a customer
                         admin@example.com  admin-development-only  an administrator
  Card                   4242424242424242   any date to come, any three digits

  curl 'http://{gateway}/v1/products?category=workshop'
  TOKEN=$(curl -s http://{gateway}/v1/users/login -H 'Content-Type: application/json' \
    -d '{{"email":"demo@example.com","password":"demo-development-only"}}' | cut -d'"' -f4)
  curl http://{gateway}/v1/cart/items/claw-hammer -X PUT -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/json' -d '{{"quantity":2}}'

  Ctrl-C stops it.
"#
    )
}
