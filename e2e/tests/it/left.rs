//! What a process that was killed at a named point leaves behind: that it was there, and that what it was in the middle of
//! was half done.

use std::path::Path;

use e2e::shop::Process;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

/// A point, and what is there once or oftener after a kill at it.
type Left = (&'static str, &'static str);

const LEFT: &[Left] = &[
    ("after_reserve", HOLD_OF_NO_ORDER),
    // Written, and not committed.
    ("before_order_commit", HOLD_OF_NO_ORDER),
    (
        "after_order_commit",
        "FROM orders o JOIN main.idempotency k ON k.subject = o.id
         WHERE o.status = 'pending_payment' AND k.answer IS NOT NULL",
    ),
    (
        "after_pin",
        "FROM orders o JOIN reservations r ON r.order_id = o.id
         WHERE o.status = 'pending_payment' AND r.status = 'pinned'
         AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id)",
    ),
    (
        "before_provider_call",
        "FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.status = 'pending' AND o.status = 'paying'
         AND NOT EXISTS (SELECT 1 FROM charges c WHERE c.charge_key = p.id)",
    ),
    ("before_provider_answer", CHARGE_UNHEARD_OF),
    ("after_provider_answer", CHARGE_UNHEARD_OF),
    ("after_look_up", CHARGE_UNHEARD_OF),
    (
        "between_outbox_and_consumer",
        "FROM outbox e WHERE e.sent_at = 0 AND e.owner <> ''
         AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.event_id = e.id)",
    ),
    ("before_acknowledgement", EFFECT_UNHEARD_OF),
    ("before_sent_is_written", EFFECT_UNHEARD_OF),
    (
        "before_refund",
        "FROM payments p JOIN charges c ON c.charge_key = p.id
         WHERE p.status = 'refund_pending' AND c.status = 'succeeded'",
    ),
    (
        "after_refund",
        "FROM payments p JOIN charges c ON c.charge_key = p.id
         WHERE p.status = 'refund_pending' AND c.status = 'refunded'",
    ),
    (
        "before_stock_adjusted",
        "FROM product_db.idempotency k WHERE k.answer IS NULL
         AND NOT EXISTS (SELECT 1 FROM stock_moves m WHERE m.cause = k.subject)",
    ),
    (
        "after_stock_adjusted",
        "FROM product_db.idempotency k JOIN stock_moves m ON m.cause = k.subject WHERE k.answer IS NOT NULL",
    ),
    (
        "after_rotation",
        "FROM refresh_tokens old JOIN refresh_tokens new ON new.family = old.family
         WHERE old.rotated_at > 0 AND new.rotated_at = 0 AND new.revoked_at = 0",
    ),
];

const HOLD_OF_NO_ORDER: &str = "FROM reservations r WHERE r.status = 'held'
     AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = r.order_id)";

const EFFECT_UNHEARD_OF: &str = "FROM outbox e JOIN inbox i ON i.event_id = e.id WHERE e.sent_at = 0";

const CHARGE_UNHEARD_OF: &str =
    "FROM payments p JOIN charges c ON c.charge_key = p.id WHERE p.status = 'pending'";

/// Waits for the end that the point makes of the process, and looks at what it left in its folder.
pub(crate) async fn killed_at(point: &str, process: &mut Process, folder: &Path) {
    let status = process.ended().await;
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{point}: {status}");
    let (_, what) = LEFT.iter().find(|left| left.0 == point).expect("it is told what a point leaves");
    // Of a copy: to read a log that was left behind is to write.
    let copy = tempfile::tempdir().unwrap();
    crate::audit::copy_databases(folder, copy.path());
    sqlx::any::install_default_drivers();
    let file = |name: &str| copy.path().join(format!("{name}.db")).display().to_string();
    let mut connection = AnyConnection::connect(&format!("sqlite://{}", file("order"))).await.unwrap();
    for name in ["user", "product", "payment"] {
        let attach = format!("ATTACH DATABASE '{}' AS {name}_db", file(name));
        sqlx::query(AssertSqlSafe(attach)).execute(&mut connection).await.unwrap();
    }
    let count = AssertSqlSafe(format!("SELECT COUNT(*) {what}"));
    let count: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap();
    assert!(count > 0, "{point} left nothing half done: no row {what}");
    connection.close().await.unwrap();
}
