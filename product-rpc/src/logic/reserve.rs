//! Reserve: all lines of an order, or none.

use std::time::Duration;

use proto::product::v1::{Line, ReserveRequest};
use shared::error::{Code, Error, Result, Violation};
use shared::store::sql::Tx;
use shared::{clock, transaction};

use crate::model::product;
use crate::model::reservation::{self, Reservation, Status};
use crate::svc::ServiceContext;

pub(crate) async fn reserve(ctx: &ServiceContext, req: ReserveRequest) -> Result<proto::product::v1::Reservation> {
    check(&req)?;
    let ttl = if req.ttl_ms > 0 { Duration::from_millis(req.ttl_ms as u64) } else { ctx.config.reservation.ttl };
    let until = clock::wall_ms() + ttl.as_millis() as i64;
    let reservation: Reservation = transaction!(ctx.db, |tx| { hold(tx, &req, until).await })?;
    Ok(reservation.into())
}

async fn hold(tx: &mut Tx, req: &ReserveRequest, until: i64) -> Result<Reservation> {
    let fresh = Reservation { order_id: req.order_id.clone(), status: Status::Held, expires_at: until };
    match reservation::find(tx, &req.order_id).await? {
        None => {
            take_all(tx, &req.lines).await?;
            reservation::insert(tx, &fresh).await?;
            for line in &req.lines {
                reservation::insert_line(tx, &req.order_id, &line.product_id, line.quantity.into()).await?;
            }
            Ok(fresh)
        }
        Some(known) if matches!(known.status, Status::Held | Status::Pinned) => Ok(known),
        Some(known) if known.status == Status::Expired => hold_again(tx, known, Status::Held, until).await,
        Some(known) => Err(ended(known.status)),
    }
}

/// What expired is taken again, if it is still there.
pub(super) async fn hold_again(tx: &mut Tx, known: Reservation, to: Status, until: i64) -> Result<Reservation> {
    let lines = reservation::lines(tx, &known.order_id).await?;
    let lines = lines.into_iter().map(|(product_id, quantity)| Line { product_id, quantity: quantity as i32 });
    take_all(tx, &lines.collect::<Vec<_>>()).await?;
    if !reservation::change(tx, &known.order_id, Status::Expired, to, until).await? {
        return Err(ended(known.status));
    }
    Ok(Reservation { status: to, expires_at: until, ..known })
}

/// In the order of the products' ids, so that no two orders wait for each other. Tells of every line that cannot be
/// served; the error rolls the others back.
async fn take_all(tx: &mut Tx, lines: &[Line]) -> Result<()> {
    let mut sorted: Vec<(usize, &Line)> = lines.iter().enumerate().collect();
    sorted.sort_by(|(_, a), (_, b)| a.product_id.cmp(&b.product_id));
    let (mut unknown, mut short) = (Vec::new(), Vec::new());
    for (at, line) in sorted {
        if product::reserve(tx, &line.product_id, line.quantity.into()).await? {
            continue;
        }
        match product::by_id_in(tx, &line.product_id).await? {
            None => unknown.push((at, Violation::new(format!("/items/{at}/product_id"), "there is no such product"))),
            Some(product) => {
                let left = product.on_hand - product.reserved;
                let fault = Violation::new(format!("/items/{at}/quantity"), format!("{left} left"));
                short.push((at, fault.with("available", left)));
            }
        }
    }
    if !unknown.is_empty() {
        return Err(Error::invalid(in_order(unknown)));
    }
    if !short.is_empty() {
        let detail = format!("{} of {} lines cannot be served", short.len(), lines.len());
        return Err(Error::new(Code::Conflict, "out_of_stock", detail).violations(in_order(short)));
    }
    Ok(())
}

fn in_order(mut faults: Vec<(usize, Violation)>) -> Vec<Violation> {
    faults.sort_by_key(|(at, _)| *at);
    faults.into_iter().map(|(_, fault)| fault).collect()
}

pub(super) fn ended(status: Status) -> Error {
    let detail = format!("the reservation of this order is {status}");
    Error::new(Code::Conflict, "illegal_transition", detail).with("state", status.as_str())
}

fn check(req: &ReserveRequest) -> Result<()> {
    let mut faults = Vec::new();
    if req.order_id.is_empty() {
        faults.push(Violation::new("/order_id", "is required"));
    }
    if !(1..=50).contains(&req.lines.len()) {
        faults.push(Violation::new("/items", "must have 1 to 50 lines"));
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
        proto::product::v1::Reservation { order_id, status: status.to_string(), expires_at_ms: expires_at }
    }
}
