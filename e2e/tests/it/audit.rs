//! The audit itself: a shop with orders in every state is clean, and whatever is bent in a copy of its books is found, and
//! named.

use std::path::{Path, PathBuf};

use e2e::audit::{self, Sources};
use e2e::shop::{CARD_DECLINED, CARD_OK, PROVIDER_BREAKS, Shop};
use serde_json::json;
use sqlx::{AnyConnection, Connection};

use crate::faults::tamper;
use crate::payments::impatient;

/// A line of the audit, a database, and what bends it so.
type Case = (&'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    ("stock.on_hand", "product", "UPDATE products SET on_hand = on_hand + 1 WHERE id = 'claw-hammer'"),
    (
        "stock.on_hand",
        "product",
        "DELETE FROM stock_moves WHERE reason = 'first stock' AND product_id = 'desk-lamp'",
    ),
    ("stock.reserved", "product", "UPDATE products SET reserved = reserved + 1 WHERE id = 'claw-hammer'"),
    ("stock.bounds", "product", "UPDATE products SET reserved = -1 WHERE id = 'desk-lamp'"),
    ("stock.bounds", "product", "UPDATE products SET reserved = on_hand + 1 WHERE id = 'desk-lamp'"),
    ("stock.product", "product", "DELETE FROM products WHERE id = 'claw-hammer'"),
    ("reservation.missing", "product", "DELETE FROM reservations WHERE status = 'held'"),
    ("reservation.lines", "product", "UPDATE reservation_lines SET quantity = quantity + 1"),
    ("reservation.status", "product", "UPDATE reservations SET status = 'held' WHERE status = 'taken'"),
    ("reservation.status", "product", "UPDATE reservations SET status = 'taken' WHERE status = 'returned'"),
    ("reservation.status", "product", "UPDATE reservations SET status = 'held' WHERE status = 'released'"),
    (
        "reservation.orphan",
        "product",
        "INSERT INTO reservations (order_id, status, expires_at, created_at) VALUES ('nobody', 'taken', 0, 0)",
    ),
    ("reservation.moves", "product", "DELETE FROM stock_moves WHERE reason = 'sold'"),
    ("reservation.moves", "product", "UPDATE stock_moves SET product_id = 'desk-lamp' WHERE reason = 'sold'"),
    ("reservation.expiry", "product", "UPDATE reservations SET expires_at = expires_at - 90000"),
    ("order.early", "order", "UPDATE order_moves SET at = 0 WHERE to_status = 'expired'"),
    ("order.total", "order", "UPDATE orders SET amount = amount + 1"),
    ("order.total", "order", "UPDATE order_lines SET unit_price = unit_price - 1"),
    ("order.total", "order", "DELETE FROM order_lines"),
    ("order.user", "user", "DELETE FROM users WHERE role = 'customer'"),
    ("order.history", "order", "DELETE FROM order_moves WHERE seq = 2"),
    ("order.history", "order", "UPDATE order_moves SET to_status = 'delivered' WHERE seq = 1"),
    ("order.status", "order", "UPDATE orders SET status = 'shipped' WHERE status = 'paid'"),
    ("order.status", "order", "UPDATE orders SET seq = seq + 1"),
    ("event.missing", "order", "DELETE FROM outbox WHERE seq = 1"),
    ("event.orphan", "order", "UPDATE outbox SET seq = seq + 100 WHERE seq = 1"),
    ("event.content", "order", "UPDATE outbox SET event = replace(event, 'order.paid', 'order.lost')"),
    (
        "event.content",
        "order",
        "UPDATE outbox SET event = replace(event, '\"from\":\"paid\"', '\"from\":\"shipped\"')",
    ),
    ("event.content", "order", "UPDATE outbox SET event = replace(event, 'claw-hammer', 'desk-lamp')"),
    ("event.order", "order", "UPDATE outbox SET sent_at = sent_at + 100000 WHERE seq = 1"),
    ("event.inbox", "product", "DELETE FROM inbox"),
    (
        "event.dead",
        "product",
        "INSERT INTO dead_letters VALUES ('product-rpc', 'e', 'order-events', '{}', 'it would not', 0)",
    ),
    ("payment.twice", "order", "UPDATE payments SET status = 'succeeded' WHERE status = 'declined'"),
    // The provider's book alone says so.
    ("payment.twice", "payment", "UPDATE charges SET status = 'succeeded'"),
    ("payment.amount", "order", "UPDATE payments SET amount = amount + 1"),
    ("payment.status", "order", "UPDATE payments SET status = 'declined' WHERE status = 'succeeded'"),
    ("payment.status", "order", "DELETE FROM payments WHERE status = 'refunded'"),
    ("payment.orphan", "order", "UPDATE payments SET order_id = 'nobody'"),
    ("charge.status", "payment", "UPDATE charges SET status = 'declined' WHERE status = 'succeeded'"),
    ("charge.status", "payment", "UPDATE charges SET status = 'succeeded' WHERE status = 'refunded'"),
    ("charge.status", "payment", "UPDATE charges SET status = 'succeeded' WHERE status = 'voided'"),
    ("charge.status", "payment", "DELETE FROM charges"),
    // It may still be on its way.
    ("charge.status", "payment", "DELETE FROM charges WHERE status = 'voided'"),
    ("charge.reference", "payment", "UPDATE charges SET reference = 'nobody'"),
    ("charge.amount", "payment", "UPDATE charges SET amount = amount - 1"),
    ("charge.orphan", "payment", "UPDATE charges SET charge_key = 'of ' || charge_key"),
    ("key.missing", "order", "DELETE FROM idempotency"),
    ("key.answer", "order", "UPDATE idempotency SET answer = NULL"),
    ("key.owner", "order", "UPDATE idempotency SET scope = 'nobody:place_order'"),
    ("key.owner", "order", "UPDATE idempotency SET scope = replace(scope, ':pay_order', ':place_order')"),
    ("key.effect", "product", "DELETE FROM stock_moves WHERE reason = 'counted'"),
    ("user.password", "user", "UPDATE users SET password_hash = 'correct horse battery'"),
    ("token.hash", "user", "UPDATE refresh_tokens SET hash = substr(hash, 1, 43)"),
    ("token.good", "user", "UPDATE refresh_tokens SET rotated_at = 0, revoked_at = 0"),
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_bent_is_found() {
    let Some((folder, _shop)) = every_state().await else { return };
    let clean = audit::now(&Sources::in_folder(&folder)).await.unwrap();
    assert!(clean.is_clean(), "{clean}");
    let copies = tempfile::tempdir().unwrap();
    let mut missed = Vec::new();
    for (number, (invariant, database, statement)) in CASES.iter().enumerate() {
        let copy = copies.path().join(number.to_string());
        copy_databases(&folder, &copy);
        bend(&copy.join(format!("{database}.db")), statement).await;
        let report = audit::now(&Sources::in_folder(&copy)).await.unwrap();
        if !report.broken.iter().any(|broken| broken.invariant == *invariant) {
            missed.push(format!("{invariant} is not found after: {statement}\n{report}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

/// What is on its way is no fault, but the audit does not call it settled.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_is_told() {
    let Some((folder, _shop)) = every_state().await else { return };
    for (what, database, statement) in [
        ("events are not sent", "order", "UPDATE outbox SET sent_at = 0 WHERE seq = 3"),
        (
            "payments wait for the provider",
            "order",
            "UPDATE payments SET status = 'refund_pending' WHERE status = 'refunded'",
        ),
        (
            "charges are not decided",
            "payment",
            "UPDATE charges SET decided_at = 9000000000000 WHERE status = 'succeeded'",
        ),
        (
            "orders should have expired",
            "order",
            "UPDATE orders SET expires_at = 1 WHERE status = 'pending_payment'",
        ),
        (
            "holds should have expired",
            "product",
            "UPDATE reservations SET expires_at = 1 WHERE status = 'held'",
        ),
        (
            "requests are at work",
            "product",
            "UPDATE idempotency SET answer = NULL, claimed_until = 9000000000000",
        ),
    ] {
        let copies = tempfile::tempdir().unwrap();
        copy_databases(&folder, copies.path());
        bend(&copies.path().join(format!("{database}.db")), statement).await;
        let report = audit::now(&Sources::in_folder(copies.path())).await.unwrap();
        assert!(report.unsettled.iter().any(|line| line.ends_with(what)), "{what}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_ends_with_1_where_something_is_broken() {
    let Some((folder, _shop)) = every_state().await else { return };
    let audit = || {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_audit"))
            .arg("--data")
            .arg(&folder)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = audit();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.ends_with(": clean\n"), "{text}");
    bend(&folder.join("product.db"), "UPDATE products SET on_hand = on_hand + 1 WHERE id = 'claw-hammer'")
        .await;
    let (code, text) = audit();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("broken    stock.on_hand: product claw-hammer: on_hand is "), "{text}");
}

/// A shop at rest, stopped, with an order in every state that lasts. The shop is handed back since it owns its folder.
async fn every_state() -> Option<(PathBuf, Shop)> {
    let mut services = impatient();
    services["order-rpc"]["Order"] = json!({"Expiry": "1h"});
    let shop = Shop::configured(services).await?;
    let (anna, admin) = (shop.register().await, shop.admin().await);
    let (product, other) = (admin.stock_up(3).await, admin.stock_up(100).await);
    let lines = [("claw-hammer", 1), (other.as_str(), 2)];
    admin.adjust(&product, 4).await.ok(200);
    anna.order(&lines).await;
    let (cancelled, expired) = (anna.order(&lines).await, anna.order(&lines).await);
    anna.refresh().await.ok(200);
    let overdue = format!("UPDATE orders SET expires_at = 1 WHERE id = '{}'", expired.id());
    tamper(&shop.sources()?.order, &overdue).await;
    anna.wait_for(&expired, "expired").await;
    anna.cancel(&cancelled).await.ok(200);
    let order = anna.order(&lines).await;
    anna.pay(&order, CARD_DECLINED).await.refused(402, "payment_declined");
    anna.pay(&order, PROVIDER_BREAKS).await.ok(202);
    anna.wait_for(&order, "pending_payment").await;
    anna.pay(&order, CARD_OK).await.ok(200);
    for moves in ["", "s", "sd", "r", "sr", "sdr"] {
        let order = anna.paid_order(&lines).await;
        for one in moves.chars() {
            let call = match one {
                's' => admin.ship(&order),
                'd' => admin.deliver(&order),
                _ => admin.refund(&order),
            };
            call.await.ok(200);
        }
    }
    shop.audit().await;
    shop.stop().await;
    let sources = shop.sources()?.clone();
    let file = sources.order.trim_start_matches("sqlite://").split('?').next()?.to_owned();
    let folder = Path::new(&file).parent()?.to_owned();
    Some((folder, shop))
}

pub(crate) fn copy_databases(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(".db") {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// Past all rules of the schema, which are there so that nothing like this happens.
async fn bend(file: &Path, statement: &'static str) {
    let mut connection = AnyConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    for sql in ["PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON", statement] {
        let done = sqlx::query(sql).execute(&mut connection).await.unwrap();
        assert!(sql.starts_with("PRAGMA") || done.rows_affected() > 0, "nothing bent: {sql}");
    }
    connection.close().await.unwrap();
}
