//! PinReservation: before a customer is charged, the hold is made to last until the order's events end it.

use proto::product::v1::PinReservationRequest;
use shared::error::{Error, Result};
use shared::transaction;

use crate::model::reservation::{self, Reservation, Status};
use crate::stock;
use crate::svc::ServiceContext;

pub(crate) async fn pin_reservation(
    ctx: &ServiceContext,
    req: PinReservationRequest,
) -> Result<proto::product::v1::Reservation> {
    let pinned: Result<Reservation> = transaction!(ctx.db, |tx| {
        let known = reservation::find(tx, &req.order_id).await?;
        let known = known.ok_or_else(|| Error::not_found("this order has reserved nothing"))?;
        let until = known.expires_at;
        match known.status {
            Status::Pinned => Ok(known),
            Status::Held => reservation::change(tx, known, Status::Pinned, until).await,
            // Too late, but not where the stock is still there.
            Status::Expired => {
                let pinned = reservation::change(tx, known, Status::Pinned, until).await?;
                let lines = reservation::lines(tx, &pinned.order_id).await?;
                stock::hold(tx, &lines).await?;
                Ok(pinned)
            }
            Status::Taken | Status::Released | Status::Returned => Err(stock::illegal(known.status)),
        }
    });
    ctx.metrics.pinned(&pinned);
    pinned.map(Into::into)
}
