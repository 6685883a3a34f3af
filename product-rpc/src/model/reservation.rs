//! The tables `reservations` and `reservation_lines`: what is held for an order, all of it or nothing.

use std::fmt;

use shared::clock;
use shared::error::{Error, Result};
use shared::store::sql::{Db, Tx};
use sqlx::Row;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// For a while.
    Held,
    /// Until the order's events end it.
    Pinned,
    /// Paid for, and gone.
    Taken,
    /// Given back before it was taken.
    Released,
    /// A hold that ended by itself.
    Expired,
    /// Given back after it was taken.
    Returned,
}

const NAMES: [(Status, &str); 6] = [
    (Status::Held, "held"),
    (Status::Pinned, "pinned"),
    (Status::Taken, "taken"),
    (Status::Released, "released"),
    (Status::Expired, "expired"),
    (Status::Returned, "returned"),
];

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        NAMES[self as usize].1
    }

    fn parse(name: &str) -> Result<Status> {
        let known = NAMES.iter().find(|known| known.1 == name);
        known.map(|known| known.0).ok_or_else(|| Error::internal(format!("`{name}` is no status of a reservation")))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Reservation {
    pub(crate) order_id: String,
    pub(crate) status: Status,
    pub(crate) expires_at: i64,
}

pub(crate) async fn find(tx: &mut Tx, order_id: &str) -> Result<Option<Reservation>> {
    let select = sqlx::query("SELECT order_id, status, expires_at FROM reservations WHERE order_id = ?").bind(order_id);
    let Some(row) = select.fetch_optional(tx.on()).await? else { return Ok(None) };
    Ok(Some(Reservation {
        order_id: row.try_get("order_id")?,
        status: Status::parse(&row.try_get::<String, _>("status")?)?,
        expires_at: row.try_get("expires_at")?,
    }))
}

pub(crate) async fn insert(tx: &mut Tx, reservation: &Reservation) -> Result<()> {
    sqlx::query("INSERT INTO reservations (order_id, status, expires_at, created_at) VALUES (?, ?, ?, ?)")
        .bind(&reservation.order_id)
        .bind(reservation.status.as_str())
        .bind(reservation.expires_at)
        .bind(clock::wall_ms())
        .execute(tx.on())
        .await?;
    Ok(())
}

pub(crate) async fn insert_line(tx: &mut Tx, order_id: &str, product_id: &str, quantity: i64) -> Result<()> {
    let insert = sqlx::query("INSERT INTO reservation_lines (order_id, product_id, quantity) VALUES (?, ?, ?)");
    insert.bind(order_id).bind(product_id).bind(quantity).execute(tx.on()).await?;
    Ok(())
}

/// Product and quantity, in the order in which every transaction takes them: so no two wait for each other.
pub(crate) async fn lines(tx: &mut Tx, order_id: &str) -> Result<Vec<(String, i64)>> {
    let select = "SELECT product_id, quantity FROM reservation_lines WHERE order_id = ? ORDER BY product_id";
    Ok(sqlx::query_as(select).bind(order_id).fetch_all(tx.on()).await?)
}

/// A guarded move; `false` where the reservation is no longer in `from`.
pub(crate) async fn change(tx: &mut Tx, order_id: &str, from: Status, to: Status, expires_at: i64) -> Result<bool> {
    let update = "UPDATE reservations SET status = ?, expires_at = ? WHERE order_id = ? AND status = ?";
    let update = sqlx::query(update).bind(to.as_str()).bind(expires_at).bind(order_id).bind(from.as_str());
    Ok(update.execute(tx.on()).await?.rows_affected() == 1)
}

/// Holds whose time is over.
pub(crate) async fn overdue(db: &Db, now: i64, most: i64) -> Result<Vec<String>> {
    let select = "SELECT order_id FROM reservations WHERE status = 'held' AND expires_at < ? ORDER BY expires_at LIMIT ?";
    Ok(sqlx::query_scalar(select).bind(now).bind(most).fetch_all(db.pool()).await?)
}
