//! Reserve: all lines of an order, or none. The order's id makes it idempotent.

use std::time::Duration;

use proto::product::v1::ReserveRequest;
use shared::error::{Code, Error, Result, Violation};
use shared::store::sql::Tx;
use shared::{clock, transaction};

use super::order_id_fault;
use crate::model::reservation::{self, Line, Reservation, Status};
use crate::stock;
use crate::svc::ServiceContext;

pub(crate) async fn reserve(
    ctx: &ServiceContext,
    req: ReserveRequest,
) -> Result<proto::product::v1::Reservation> {
    check(ctx, &req)?;
    let ttl = match req.ttl_ms {
        0 => ctx.config.reservation.ttl,
        asked => Duration::from_millis(asked.unsigned_abs()),
    };
    let lines = lines(&req);
    let held = transaction!(ctx.db, |tx| { hold(tx, &req.order_id, &lines, ttl).await });
    ctx.metrics.reserved(&held);
    held.map(Into::into)
}

async fn hold(tx: &mut Tx, order_id: &str, lines: &[Line], ttl: Duration) -> Result<Reservation> {
    let now = clock::wall_ms();
    let until = now + ttl.as_millis() as i64;
    let Some(known) = reservation::find(tx, order_id).await? else {
        let fresh = Reservation { order_id: order_id.to_owned(), status: Status::Held, expires_at: until };
        reservation::insert(tx, &fresh).await?;
        stock::hold(tx, lines).await?;
        for line in lines {
            reservation::insert_line(tx, order_id, line).await?;
        }
        return Ok(fresh);
    };
    if matches!(known.status, Status::Taken | Status::Released | Status::Returned) {
        return Err(stock::illegal(known.status));
    }
    if !is_same(&reservation::lines(tx, order_id).await?, lines) {
        return Err(other_lines());
    }
    match known.status {
        Status::Expired => {
            let again = reservation::change(tx, known, Status::Held, until).await?;
            stock::hold(tx, lines).await?;
            Ok(again)
        }
        // Its time is over, and nobody has given it back yet.
        Status::Held if known.expires_at <= now => reservation::change(tx, known, Status::Held, until).await,
        _ => Ok(known),
    }
}

/// Whatever the order in which they were named.
fn is_same(held: &[Line], asked: &[Line]) -> bool {
    let what = |line: &Line| (line.product_id.clone(), line.quantity);
    held.iter().map(what).eq(asked.iter().map(what))
}

fn other_lines() -> Error {
    Error::new(Code::Unprocessable, "idempotency_key_reused", "this order has reserved other lines before")
}

/// Sorted, each with its place in the request.
fn lines(req: &ReserveRequest) -> Vec<Line> {
    let numbered = req.lines.iter().zip(0..);
    let mut lines: Vec<Line> = numbered
        .map(|(line, position)| Line {
            position,
            product_id: line.product_id.clone(),
            quantity: line.quantity.into(),
        })
        .collect();
    reservation::sort(&mut lines);
    lines
}

fn check(ctx: &ServiceContext, req: &ReserveRequest) -> Result<()> {
    let mut faults: Vec<Violation> = order_id_fault(&req.order_id).into_iter().collect();
    let longest = ctx.config.reservation.max_ttl.as_millis() as i64;
    if !(0..=longest).contains(&req.ttl_ms) {
        faults.push(Violation::new("/ttl_ms", format!("must be from 0 to {longest}")));
    }
    if !(1..=50).contains(&req.lines.len()) {
        faults.push(Violation::new("/items", "must have 1 to 50 lines"));
        return Err(Error::invalid(faults));
    }
    for (at, line) in req.lines.iter().enumerate() {
        if !(1..=99).contains(&line.quantity) {
            faults.push(Violation::new(format!("/items/{at}/quantity"), "must be from 1 to 99"));
        }
        if req.lines[..at].iter().any(|other| other.product_id == line.product_id) {
            faults.push(Violation::new(format!("/items/{at}/product_id"), "stands in another line too"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}

impl From<Reservation> for proto::product::v1::Reservation {
    fn from(known: Reservation) -> proto::product::v1::Reservation {
        let Reservation { order_id, status, expires_at } = known;
        proto::product::v1::Reservation {
            order_id,
            status: status.as_str().to_owned(),
            expires_at_ms: expires_at,
        }
    }
}
