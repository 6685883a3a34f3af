//! What a reservation does to the stock, step by step: each in its caller's transaction, and all of it or nothing.

use shared::error::{Code, Error, Result, Violation};
use shared::store::sql::Tx;

use crate::model::reservation::{self, Line, Reservation, Status};
use crate::model::{product, stock, stock_move};

/// Holds all lines, which are sorted. Tells of every line that cannot be served; the error rolls the others back.
pub(crate) async fn hold(tx: &mut Tx, lines: &[Line]) -> Result<()> {
    let (mut unknown, mut short) = (Vec::new(), Vec::new());
    for Line { position, product_id, quantity } in lines {
        if stock::reserve(tx, product_id, *quantity).await? {
            continue;
        }
        match product::by_id_in(tx, product_id).await? {
            None => {
                let pointer = format!("/items/{position}/product_id");
                unknown.push((*position, Violation::new(pointer, "there is no such product")));
            }
            Some(product) => {
                let left = product.on_hand - product.reserved;
                let fault = Violation::new(format!("/items/{position}/quantity"), format!("{left} left"));
                short.push((*position, fault.with("available", left)));
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

fn in_order(mut faults: Vec<(i64, Violation)>) -> Vec<Violation> {
    faults.sort_by_key(|(position, _)| *position);
    faults.into_iter().map(|(_, fault)| fault).collect()
}

/// Ends what is held: it can be ordered again.
pub(crate) async fn give_back(tx: &mut Tx, known: Reservation, to: Status) -> Result<()> {
    let until = known.expires_at;
    let ended = reservation::change(tx, known, to, until).await?;
    for line in reservation::lines(tx, &ended.order_id).await? {
        stock::give_back(tx, &line.product_id, line.quantity).await?;
    }
    Ok(())
}

/// What is held was paid for, and leaves the house.
pub(crate) async fn take(tx: &mut Tx, known: Reservation) -> Result<()> {
    let until = known.expires_at;
    let taken = reservation::change(tx, known, Status::Taken, until).await?;
    for line in reservation::lines(tx, &taken.order_id).await? {
        stock::take(tx, &line.product_id, line.quantity).await?;
        stock_move::insert(tx, &line.product_id, -line.quantity, "sold", &taken.order_id).await?;
    }
    Ok(())
}

/// What was taken had not left after all.
pub(crate) async fn put_back(tx: &mut Tx, known: Reservation) -> Result<()> {
    let until = known.expires_at;
    let returned = reservation::change(tx, known, Status::Returned, until).await?;
    for line in reservation::lines(tx, &returned.order_id).await? {
        if !stock::adjust(tx, &line.product_id, line.quantity).await? {
            return Err(Error::internal(format!("the product {} cannot be put back", line.product_id)));
        }
        stock_move::insert(tx, &line.product_id, line.quantity, "refunded", &returned.order_id).await?;
    }
    Ok(())
}

/// A step that a reservation in this state cannot take.
pub(crate) fn illegal(status: Status) -> Error {
    let status = status.as_str();
    let detail = format!("the reservation of this order is {status}");
    Error::new(Code::Conflict, "illegal_transition", detail).with("state", status)
}
