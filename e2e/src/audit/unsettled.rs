//! What is still on its way: the audit of a shop at rest finds nothing here.

use super::books::Books;

/// A line for each kind.
pub(super) fn list(books: &Books, now: i64) -> Vec<String> {
    let keys = books.order_keys.iter().chain(&books.product_keys);
    let overdue = |status: &str, expires_at: i64| status == "pending_payment" && expires_at <= now;
    let kinds = [
        ("events are not sent", books.outbox.iter().filter(|sent| sent.sent_at == 0).count()),
        ("orders are paying", books.orders.values().filter(|order| order.status == "paying").count()),
        (
            "orders should have expired",
            books.orders.values().filter(|order| overdue(&order.status, order.expires_at)).count(),
        ),
        (
            "holds should have expired",
            books.reservations.values().filter(|one| one.status == "held" && one.expires_at <= now).count(),
        ),
        (
            "payments wait for the provider",
            books.payments.values().flatten().filter(|payment| payment.is_open()).count(),
        ),
        (
            "charges are not decided",
            books.charges.values().filter(|charge| charge.status == "pending").count(),
        ),
        ("requests are at work", keys.filter(|key| !key.is_answered && key.claimed_until > now).count()),
    ];
    let some = kinds.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(what, count)| format!("{count} {what}")).collect()
}
