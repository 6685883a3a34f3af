//! PinReservation: before a customer is charged, the hold is made to last until the order's events end it.

use proto::product::v1::PinReservationRequest;
use shared::error::{Error, Result};
use shared::transaction;

use super::reserve::{ended, hold_again};
use crate::model::reservation::{self, Reservation, Status};
use crate::svc::ServiceContext;

pub(crate) async fn pin_reservation(
    ctx: &ServiceContext,
    req: PinReservationRequest,
) -> Result<proto::product::v1::Reservation> {
    let pinned: Reservation = transaction!(ctx.db, |tx| {
        let known = reservation::find(tx, &req.order_id).await?;
        let known = known.ok_or_else(|| Error::not_found("this order has reserved nothing"))?;
        match known.status {
            Status::Pinned => Ok(known),
            Status::Held => {
                let until = known.expires_at;
                if !reservation::change(tx, &known.order_id, Status::Held, Status::Pinned, until).await? {
                    return Err(ended(known.status));
                }
                Ok(Reservation { status: Status::Pinned, ..known })
            }
            Status::Expired => {
                let until = known.expires_at;
                hold_again(tx, known, Status::Pinned, until).await
            }
            Status::Taken | Status::Released | Status::Returned => Err(ended(known.status)),
        }
    })?;
    Ok(pinned.into())
}
