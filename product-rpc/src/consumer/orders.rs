//! The events of orders: paid stock is taken, what an order gives up is given back. The inbox makes each work once. What
//! must not happen, such as a payment for stock that nobody held, changes nothing and becomes a dead letter.

use proto::order::v1::OrderMoved;
use shared::error::{Error, Result};
use shared::queue::Event;
use shared::queue::consumer::Handler;
use shared::store::sql::Tx;
use tonic::async_trait;

use crate::logic::release;
use crate::model::reservation::{self, Reservation, Status};
use crate::stock;

pub(super) struct Orders;

#[async_trait]
impl Handler for Orders {
    async fn handle(&self, event: &Event, tx: &mut Tx) -> Result<()> {
        let moved: OrderMoved = event.read().map_err(Error::internal)?;
        if moved.order_id != event.subject {
            return Err(Error::internal("the event is not about its subject"));
        }
        match (moved.from.as_str(), moved.to.as_str()) {
            (_, "paid") => paid(tx, &moved.order_id).await,
            (_, "cancelled" | "expired") => given_up(tx, &moved.order_id).await,
            ("paid", "refunded") => refunded(tx, &moved.order_id).await,
            // The parcel is on its way, or with the customer: nothing comes back by itself.
            ("shipped" | "delivered", "refunded") => Ok(()),
            (from, "refunded") => Err(Error::internal(format!("an order that is {from} cannot be refunded"))),
            _ => Ok(()),
        }
    }
}

async fn paid(tx: &mut Tx, order_id: &str) -> Result<()> {
    let known = must_find(tx, order_id).await?;
    match known.status {
        Status::Held | Status::Pinned => stock::take(tx, known).await,
        Status::Taken => Ok(()),
        Status::Released | Status::Expired | Status::Returned => Err(stock::illegal(known.status)),
    }
}

/// An order that reserved nothing gives nothing back, but must not reserve any more.
async fn given_up(tx: &mut Tx, order_id: &str) -> Result<()> {
    match reservation::find(tx, order_id).await? {
        Some(known) if known.status == Status::Pinned => stock::give_back(tx, known, Status::Released).await,
        _ => release::give_up(tx, order_id).await,
    }
}

async fn refunded(tx: &mut Tx, order_id: &str) -> Result<()> {
    let known = must_find(tx, order_id).await?;
    match known.status {
        Status::Taken => stock::put_back(tx, known).await,
        Status::Returned => Ok(()),
        Status::Held | Status::Pinned | Status::Released | Status::Expired => {
            Err(stock::illegal(known.status))
        }
    }
}

async fn must_find(tx: &mut Tx, order_id: &str) -> Result<Reservation> {
    let known = reservation::find(tx, order_id).await?;
    known.ok_or_else(|| Error::not_found("this order has reserved nothing"))
}
