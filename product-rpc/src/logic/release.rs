//! Release: gives a reservation back before it was taken. Here, since an order's events and the sweeper do it as well.

use proto::product::v1::{ReleaseRequest, ReleaseResponse};
use shared::error::Result;
use shared::store::sql::Tx;
use shared::transaction;

use crate::model::product;
use crate::model::reservation::{self, Reservation, Status};
use crate::svc::ServiceContext;

pub(crate) async fn release(ctx: &ServiceContext, req: ReleaseRequest) -> Result<ReleaseResponse> {
    transaction!(ctx.db, |tx| {
        if !give_back(tx, &req.order_id, Status::Released).await? && reservation::find(tx, &req.order_id).await?.is_none() {
            // A reservation that is still on its way must not be made after it was given up.
            let order_id = req.order_id.clone();
            reservation::insert(tx, &Reservation { order_id, status: Status::Released, expires_at: 0 }).await?;
        }
        Ok(ReleaseResponse {})
    })
}

/// `false` where nothing is held any more.
pub(crate) async fn give_back(tx: &mut Tx, order_id: &str, to: Status) -> Result<bool> {
    let Some(known) = reservation::find(tx, order_id).await? else { return Ok(false) };
    if !matches!(known.status, Status::Held | Status::Pinned)
        || !reservation::change(tx, order_id, known.status, to, known.expires_at).await?
    {
        return Ok(false);
    }
    for (product_id, quantity) in reservation::lines(tx, order_id).await? {
        product::give_back(tx, &product_id, quantity).await?;
    }
    Ok(true)
}
