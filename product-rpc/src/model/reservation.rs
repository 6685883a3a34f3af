//! The tables `reservations` and `reservation_lines`: what is held for an order, all of it or nothing.

use shared::clock;
use shared::error::{Error, Result};
use shared::store::sql::{self, Db, Tx};
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

const STATUSES: [Status; 6] = {
    use Status::*;
    [Held, Pinned, Taken, Released, Expired, Returned]
};

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Held => "held",
            Status::Pinned => "pinned",
            Status::Taken => "taken",
            Status::Released => "released",
            Status::Expired => "expired",
            Status::Returned => "returned",
        }
    }

    fn parse(name: &str) -> Result<Status> {
        let known = STATUSES.into_iter().find(|known| known.as_str() == name);
        known.ok_or_else(|| Error::internal(format!("`{name}` is no status of a reservation")))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) order_id: String,
    pub(crate) status: Status,
    /// Of a hold alone.
    pub(crate) expires_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its index in the order.
    pub(crate) position: i64,
    pub(crate) product_id: String,
    pub(crate) quantity: i64,
}

pub(crate) async fn find(tx: &mut Tx, order_id: &str) -> Result<Option<Reservation>> {
    let select = "SELECT order_id, status, expires_at FROM reservations WHERE order_id = ?";
    let row = sqlx::query(select).bind(order_id).fetch_optional(tx.named("reservations.find")).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Reservation {
        order_id: row.try_get("order_id")?,
        status: Status::parse(row.try_get("status")?)?,
        expires_at: row.try_get("expires_at")?,
    }))
}

pub(crate) async fn insert(tx: &mut Tx, reservation: &Reservation) -> Result<()> {
    let insert = "INSERT INTO reservations (order_id, status, expires_at, created_at) VALUES (?, ?, ?, ?)";
    let insert = sqlx::query(insert)
        .bind(&reservation.order_id)
        .bind(reservation.status.as_str())
        .bind(reservation.expires_at)
        .bind(clock::wall_ms());
    match insert.execute(tx.named("reservations.insert")).await.map_err(Error::from) {
        Err(error) if sql::is_duplicate(&error) => Err(in_the_way().caused_by(error)),
        inserted => inserted.map(|_| ()),
    }
}

pub(crate) async fn insert_line(tx: &mut Tx, order_id: &str, line: &Line) -> Result<()> {
    let insert =
        "INSERT INTO reservation_lines (order_id, product_id, quantity, position) VALUES (?, ?, ?, ?)";
    let insert =
        sqlx::query(insert).bind(order_id).bind(&line.product_id).bind(line.quantity).bind(line.position);
    insert.execute(tx.named("reservation_lines.insert")).await?;
    Ok(())
}

/// In the order in which every transaction takes them: so no two wait for each other.
pub(crate) async fn lines(tx: &mut Tx, order_id: &str) -> Result<Vec<Line>> {
    let select = "SELECT position, product_id, quantity FROM reservation_lines WHERE order_id = ?";
    let rows = sqlx::query_as::<_, (i64, String, i64)>(select).bind(order_id);
    let rows = rows.fetch_all(tx.named("reservation_lines.of_order")).await?.into_iter();
    let mut lines: Vec<Line> =
        rows.map(|(position, product_id, quantity)| Line { position, product_id, quantity }).collect();
    sort(&mut lines);
    Ok(lines)
}

/// By the bytes of the products' ids, not by what a database takes for their order.
pub(crate) fn sort(lines: &mut [Line]) {
    lines.sort_by(|one, other| one.product_id.cmp(&other.product_id));
}

/// From what was read to `to`; of two at once the slower one fails, and has to look again.
pub(crate) async fn change(
    tx: &mut Tx,
    known: Reservation,
    to: Status,
    expires_at: i64,
) -> Result<Reservation> {
    let update = "UPDATE reservations SET status = ?, expires_at = ? WHERE order_id = ? AND status = ? AND expires_at = ?";
    let update = sqlx::query(update)
        .bind(to.as_str())
        .bind(expires_at)
        .bind(&known.order_id)
        .bind(known.status.as_str())
        .bind(known.expires_at);
    match update.execute(tx.named("reservations.change")).await?.rows_affected() {
        1 => Ok(Reservation { status: to, expires_at, ..known }),
        _ => Err(in_the_way()),
    }
}

/// The orders whose holds' time is over, the longest first.
pub(crate) async fn overdue(db: &Db, now: i64, most: u32) -> Result<Vec<String>> {
    let select = "SELECT order_id FROM reservations WHERE status = 'held' AND expires_at <= ? ORDER BY expires_at LIMIT ?";
    let select = sqlx::query_scalar(select).bind(now).bind(i64::from(most));
    Ok(select.fetch_all(db.named("reservations.overdue")).await?)
}

fn in_the_way() -> Error {
    Error::unavailable("somebody else is changing this reservation")
}
