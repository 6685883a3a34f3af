//! Release: gives a hold back where its order could not be made. What is pinned is being paid for, and only the order's
//! events end it.

use proto::product::v1::{ReleaseRequest, ReleaseResponse};
use shared::error::{Error, Result};
use shared::store::sql::Tx;
use shared::transaction;

use super::order_id_fault;
use crate::model::reservation::{self, Reservation, Status};
use crate::stock;
use crate::svc::ServiceContext;

pub(crate) async fn release(ctx: &ServiceContext, req: ReleaseRequest) -> Result<ReleaseResponse> {
    if let Some(fault) = order_id_fault(&req.order_id) {
        return Err(Error::invalid(vec![fault]));
    }
    transaction!(ctx.db, |tx| { give_up(tx, &req.order_id).await })?;
    ctx.metrics.released();
    Ok(ReleaseResponse {})
}

/// Afterwards the order holds nothing, and cannot reserve again: a Reserve that was sent before and arrives late finds
/// the row that is left here.
pub(crate) async fn give_up(tx: &mut Tx, order_id: &str) -> Result<()> {
    let Some(known) = reservation::find(tx, order_id).await? else {
        let order_id = order_id.to_owned();
        let never = Reservation { order_id, status: Status::Released, expires_at: 0 };
        return reservation::insert(tx, &never).await;
    };
    let until = known.expires_at;
    match known.status {
        Status::Held => stock::give_back(tx, known, Status::Released).await,
        Status::Expired => reservation::change(tx, known, Status::Released, until).await.map(|_| ()),
        Status::Released | Status::Returned => Ok(()),
        Status::Pinned | Status::Taken => Err(stock::illegal(known.status)),
    }
}
