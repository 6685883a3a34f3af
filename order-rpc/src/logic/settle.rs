//! What becomes of a payment and its order once the provider has told. Whoever hears it first writes it down: the request
//! that charged, or the reconciler.

use shared::error::{Error, Result};
use shared::store::sql::Tx;
use shared::{clock, transaction};

use super::advance::{Cause, advance_in, overtaken};
use crate::model::order;
use crate::model::payment::{self, Payment};
use crate::provider::Outcome;
use crate::status::Status;
use crate::svc::ServiceContext;

/// A code is as long as its column.
const LONGEST_CODE: usize = 50;

/// What writing an outcome came to.
pub(super) enum Settled {
    /// The order moved.
    Moved(Status),
    /// Nothing is to be written: it is pending still, or somebody else was faster.
    AsItWas,
    /// Another move of the order came in between, and nothing was written: it is to be tried anew.
    Overtaken,
}

/// Where somebody else was faster, all is well.
pub(crate) async fn settle(ctx: &ServiceContext, payment_id: &str, outcome: &Outcome) -> Result<()> {
    let settled: Settled = transaction!(ctx.db, |tx| { settle_in(tx, payment_id, outcome).await })?;
    match settled {
        Settled::Moved(to) => ctx.metrics.moved(to),
        Settled::AsItWas => {}
        Settled::Overtaken => return Err(overtaken()),
    }
    Ok(())
}

pub(super) async fn settle_in(tx: &mut Tx, payment_id: &str, outcome: &Outcome) -> Result<Settled> {
    let payment = find(tx, payment_id).await?;
    if payment.status != payment::Status::Pending {
        return Ok(Settled::AsItWas);
    }
    let (status, to, code) = match outcome {
        Outcome::Succeeded => (payment::Status::Succeeded, Status::Paid, ""),
        Outcome::Declined(code) => (payment::Status::Declined, Status::PendingPayment, code.as_str()),
        Outcome::Void => (payment::Status::Void, Status::PendingPayment, ""),
        Outcome::Pending => return Ok(Settled::AsItWas),
    };
    let code: String = code.chars().take(LONGEST_CODE).collect();
    let reason = match status {
        payment::Status::Declined => format!("the payment was declined ({code})"),
        payment::Status::Void => "the payment did not go through".to_owned(),
        _ => String::new(),
    };
    let order = order::by_id_in(tx, &payment.order_id).await?;
    let order = order.ok_or_else(|| Error::internal(format!("the payment {payment_id} is for no order")))?;
    // Nothing but the end of its payment moves an order that is paying.
    if !advance_in(tx, &order, to, Cause::ours(&reason)).await? {
        return Ok(Settled::Overtaken);
    }
    let paid_at = if status == payment::Status::Succeeded { clock::wall_ms() } else { 0 };
    // Half of it must not stay.
    match payment::settle(tx, payment_id, status, &code, paid_at).await? {
        true => Ok(Settled::Moved(to)),
        false => Err(overtaken()),
    }
}

pub(super) async fn find(tx: &mut Tx, payment_id: &str) -> Result<Payment> {
    let found = payment::by_id(tx, payment_id).await?;
    found.ok_or_else(|| Error::internal(format!("there is no payment {payment_id}")))
}
