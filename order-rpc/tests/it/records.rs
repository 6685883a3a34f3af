//! What stands in the database of order-rpc, and what must always be true of it.

use std::path::Path;

use shared::queue::Event;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{FromRow, Row, SqliteConnection, SqlitePool};

use crate::provider::Provider;

/// The legal moves, written once more: as the contract has them.
const LEGAL: [(&str, &str); 11] = [
    ("", "pending_payment"),
    ("pending_payment", "paying"),
    ("pending_payment", "cancelled"),
    ("pending_payment", "expired"),
    ("paying", "paid"),
    ("paying", "pending_payment"),
    ("paid", "shipped"),
    ("shipped", "delivered"),
    ("paid", "refunded"),
    ("shipped", "refunded"),
    ("delivered", "refunded"),
];

#[derive(Clone)]
pub(crate) struct Records(SqlitePool);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) seq: i64,
    pub(crate) from_status: String,
    pub(crate) to_status: String,
    pub(crate) reason: String,
    pub(crate) actor: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) amount: i64,
    pub(crate) decline_code: String,
    pub(crate) paid_at: i64,
    pub(crate) checks: i64,
}

impl FromRow<'_, SqliteRow> for Step {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Step> {
        Ok(Step {
            seq: row.try_get("seq")?,
            from_status: row.try_get("from_status")?,
            to_status: row.try_get("to_status")?,
            reason: row.try_get("reason")?,
            actor: row.try_get("actor")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Attempt {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Attempt> {
        Ok(Attempt {
            id: row.try_get("id")?,
            status: row.try_get("status")?,
            amount: row.try_get("amount")?,
            decline_code: row.try_get("decline_code")?,
            paid_at: row.try_get("paid_at")?,
            checks: row.try_get("checks")?,
        })
    }
}

impl Records {
    /// Of the service whose data is in `folder`.
    pub(crate) async fn open(folder: &Path) -> Records {
        let options = SqliteConnectOptions::new().filename(folder.join("order.db"));
        Records(SqlitePool::connect_with(options).await.unwrap())
    }

    pub(crate) async fn orders(&self) -> Vec<(String, String, i64)> {
        orders(&mut self.0.acquire().await.unwrap()).await
    }

    pub(crate) async fn status(&self, order_id: &str) -> String {
        let select = sqlx::query_scalar("SELECT status FROM orders WHERE id = ?").bind(order_id);
        select.fetch_one(&self.0).await.unwrap()
    }

    pub(crate) async fn steps(&self, order_id: &str) -> Vec<Step> {
        steps(&mut self.0.acquire().await.unwrap(), order_id).await
    }

    /// Oldest first.
    pub(crate) async fn attempts(&self, order_id: &str) -> Vec<Attempt> {
        attempts(&mut self.0.acquire().await.unwrap(), order_id).await
    }

    pub(crate) async fn events(&self, order_id: &str) -> Vec<Event> {
        events(&mut self.0.acquire().await.unwrap(), order_id).await
    }

    pub(crate) async fn unsent(&self) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM outbox WHERE sent_at = 0").fetch_one(&self.0).await.unwrap()
    }

    /// Keys that are claimed, and have no answer.
    pub(crate) async fn open_keys(&self) -> i64 {
        let select = "SELECT COUNT(*) FROM idempotency WHERE answer IS NULL";
        sqlx::query_scalar(select).fetch_one(&self.0).await.unwrap()
    }

    /// Nobody paid it in time.
    pub(crate) async fn let_time_pass(&self, order_id: &str) {
        let update = sqlx::query("UPDATE orders SET expires_at = 1 WHERE id = ?").bind(order_id);
        update.execute(&self.0).await.unwrap();
    }

    /// From now on the order cannot move, as somebody has told of its next move already; `free` ends that.
    pub(crate) async fn stick(&self, order_id: &str) {
        let insert = "INSERT INTO outbox
             SELECT 'stuck', topic, event_key, seq + 1, event, created_at, 0, 0, '', 0, 9000000000000
             FROM outbox WHERE event_key = ? ORDER BY seq DESC LIMIT 1";
        assert_eq!(sqlx::query(insert).bind(order_id).execute(&self.0).await.unwrap().rows_affected(), 1);
    }

    pub(crate) async fn free(&self) {
        sqlx::query("DELETE FROM outbox WHERE id = 'stuck'").execute(&self.0).await.unwrap();
    }

    /// As if it had been written by an instance whose clock is late by an hour.
    pub(crate) async fn late_clock(&self, payment_id: &str) {
        let update = "UPDATE payments SET created_at = created_at - 3600000 WHERE id = ?";
        sqlx::query(update).bind(payment_id).execute(&self.0).await.unwrap();
    }

    /// The lease of every claim is over: who had one is taken for dead.
    pub(crate) async fn end_leases(&self) {
        sqlx::query("UPDATE idempotency SET claimed_until = 0").execute(&self.0).await.unwrap();
    }

    /// The reconciler looks at once.
    pub(crate) async fn check_now(&self) {
        sqlx::query("UPDATE payments SET check_at = 0, claimed_until = 0").execute(&self.0).await.unwrap();
    }

    /// What must be true whatever was done, in whatever order. Of one moment: the service goes on meanwhile.
    pub(crate) async fn audit(&self, provider: &Provider) {
        let mut moment = self.0.begin().await.unwrap();
        for (id, status, seq) in orders(&mut moment).await {
            let steps = steps(&mut moment, &id).await;
            let mut before = String::new();
            for (step, expected) in steps.iter().zip(1..) {
                assert_eq!(step.seq, expected, "{id}: {steps:?}");
                assert_eq!(step.from_status, before, "{id}: {steps:?}");
                let legal = (step.from_status.as_str(), step.to_status.as_str());
                assert!(LEGAL.contains(&legal), "{id}: {steps:?}");
                before.clone_from(&step.to_status);
            }
            assert_eq!((seq, &status), (steps.len() as i64, &before), "{id}: {steps:?}");
            let events = events(&mut moment, &id).await;
            let told: Vec<_> = events.iter().map(|event| (event.sequence, event.kind.clone())).collect();
            let made: Vec<_> =
                steps.iter().map(|step| (step.seq, format!("order.{}", step.to_status))).collect();
            assert_eq!(told, made, "{id}");
            audit_payments(&id, &status, &attempts(&mut moment, &id).await, provider);
        }
    }
}

fn audit_payments(id: &str, status: &str, attempts: &[Attempt], provider: &Provider) {
    let count = |wanted: &[&str]| attempts.iter().filter(|one| wanted.contains(&one.status.as_str())).count();
    let found = (count(&["pending"]), count(&["succeeded"]), count(&["refund_pending", "refunded"]));
    let expected = match status {
        "paying" => (1, 0, 0),
        "paid" | "shipped" | "delivered" => (0, 1, 0),
        "refunded" => (0, 0, 1),
        _ => (0, 0, 0),
    };
    assert_eq!(found, expected, "{id} is {status}: {attempts:?}");
    for attempt in attempts {
        let charge = provider.charge_of(&attempt.id);
        let theirs = charge.as_ref().map(|charge| charge.status);
        let fits = match attempt.status.as_str() {
            // Its answer may be lost.
            "pending" | "refund_pending" => true,
            "succeeded" => theirs == Some("succeeded"),
            "declined" => theirs == Some("declined"),
            "void" => matches!(theirs, Some("voided" | "refunded")),
            "refunded" => theirs == Some("refunded"),
            _ => false,
        };
        assert!(fits, "{attempt:?} is {theirs:?} at the provider");
        if let Some(charge) = charge.filter(|charge| charge.status != "voided") {
            assert_eq!((charge.amount, charge.currency.as_str()), (attempt.amount, "EUR"));
            assert_eq!(charge.reference, id);
        }
    }
    let most = usize::from(!matches!(status, "pending_payment" | "cancelled" | "expired"));
    assert!(provider.taken(id) <= most, "{id} is {status}: {attempts:?}");
}

async fn orders(on: &mut SqliteConnection) -> Vec<(String, String, i64)> {
    sqlx::query_as("SELECT id, status, seq FROM orders ORDER BY id").fetch_all(on).await.unwrap()
}

async fn steps(on: &mut SqliteConnection, order_id: &str) -> Vec<Step> {
    let select =
        "SELECT seq, from_status, to_status, reason, actor FROM order_moves WHERE order_id = ? ORDER BY seq";
    sqlx::query_as(select).bind(order_id).fetch_all(on).await.unwrap()
}

async fn attempts(on: &mut SqliteConnection, order_id: &str) -> Vec<Attempt> {
    let select = "SELECT id, status, amount, decline_code, paid_at, checks FROM payments WHERE order_id = ? ORDER BY created_at, id";
    sqlx::query_as(select).bind(order_id).fetch_all(on).await.unwrap()
}

async fn events(on: &mut SqliteConnection, order_id: &str) -> Vec<Event> {
    let select = "SELECT event FROM outbox WHERE event_key = ? ORDER BY seq";
    let texts: Vec<String> = sqlx::query_scalar(select).bind(order_id).fetch_all(on).await.unwrap();
    texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}
