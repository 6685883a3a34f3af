//! PayOrder: charges the card for the whole order. Once for a key.
//!
//! That a payment is under way is written before the provider is asked, so no answer that is lost is forgotten. The
//! payment's id is the key's subject, and it is the charge's key at the provider: one key of a customer is one charge at
//! most, whoever comes to ask for it twice, and however often.

use proto::order::v1::{OrderView, PayOrderRequest};
use proto::product::v1::PinReservationRequest;
use shared::error::{Code, Error, Result};
use shared::store::idempotency::{self, Claim, Key, Known};
use shared::store::sql::Tx;
use shared::{clock, crash, transaction};

use super::advance::{Cause, TRIES, advance_in, overtaken};
use super::answer::{self, Answer};
use super::settle::{Settled, find, settle_in};
use super::{check_user, expire, no_such_order, view};
use crate::card::Card;
use crate::model::order::{self, Order};
use crate::model::payment::{self, Payment};
use crate::provider::{Outcome, Unknown};
use crate::status::Status;
use crate::svc::ServiceContext;

/// To the customer, a payment that was voided is one that did not go through.
const VOIDED: &str = "processing_error";

pub(crate) async fn pay_order(ctx: &ServiceContext, req: PayOrderRequest) -> Result<OrderView> {
    check_user(&req.user_id)?;
    let card = Card::parse(req.card, clock::wall())?;
    let order = order::by_id(&ctx.db, &req.order_id).await?;
    // Somebody else's order is not said to exist.
    let order = order.filter(|order| order.user_id == req.user_id).ok_or_else(no_such_order)?;
    let asked = format!("{} {}", order.id, card.imprint());
    let key = Key::new(&req.user_id, "pay_order", &req.idempotency_key, asked.as_bytes())?;
    let claim = match idempotency::begin(&ctx.db, &key, ctx.config.idempotency.lease).await? {
        Known::Done(answer) => return Answer::parse(&answer)?.give(),
        Known::Claimed(claim) => claim,
    };
    let service = ctx.clone();
    ctx.whole(async move { pay(&service, &order.id, &card, &claim).await }).await
}

async fn pay(ctx: &ServiceContext, order_id: &str, card: &Card, claim: &Claim) -> Result<OrderView> {
    // An earlier request under this key may have asked the provider. It is not asked again: what became of that payment is
    // known, or will be by the reconciler.
    if let Some(answer) = earlier(ctx, claim).await? {
        return answer.give();
    }
    let order = match begin(ctx, order_id, card, claim).await {
        Ok(order) => order,
        Err(error) => {
            // That request may be late rather than dead, and have begun meanwhile.
            if let Some(answer) = earlier(ctx, claim).await? {
                return answer.give();
            }
            // Nothing was charged. Should the commit have been done all the same, the reconciler takes it back.
            answer::free(&ctx.db, claim).await;
            return Err(error);
        }
    };
    crash::point("before_provider_call");
    let charged = ctx.provider.charge(&claim.subject, &order.total, card, &order.id).await;
    crash::point("after_provider_answer");
    let outcome = charged.unwrap_or_else(|Unknown(error)| {
        tracing::warn!(
            payment = claim.subject,
            error = error.chain(),
            "it is not known what became of a payment"
        );
        Outcome::Pending
    });
    match conclude(ctx, &outcome, claim).await {
        Ok(answer) => answer.give(),
        Err(error) => {
            // The payment stays pending: the reconciler learns what became of it, and the key answers that.
            answer::hand_over(&ctx.db, claim).await;
            Err(error)
        }
    }
}

/// What an earlier request under the key came to, if it came as far as a payment.
async fn earlier(ctx: &ServiceContext, claim: &Claim) -> Result<Option<Answer>> {
    if !claim.again {
        return Ok(None);
    }
    transaction!(ctx.db, |tx| {
        let Some(payment) = payment::by_id(tx, &claim.subject).await? else { return Ok(None) };
        let answer = answer(tx, &payment).await?;
        answer.keep(tx, claim).await?;
        Ok(Some(answer))
    })
}

/// Makes the stock last, and writes that the order is being paid.
async fn begin(ctx: &ServiceContext, order_id: &str, card: &Card, claim: &Claim) -> Result<Order> {
    for _ in 0..TRIES {
        let order = order::by_id(&ctx.db, order_id).await?.ok_or_else(no_such_order)?;
        order.status.check(Status::Paying)?;
        if expire::is_overdue(&order) {
            // The sweeper has not come by yet. The next round refuses.
            expire::expire(ctx, &order).await?;
            continue;
        }
        if !pin(ctx, &order).await? {
            continue;
        }
        crash::point("after_pin");
        let payment = Payment {
            id: claim.subject.clone(),
            order_id: order.id.clone(),
            status: payment::Status::Pending,
            amount: order.total.clone(),
            card_brand: card.brand().to_owned(),
            card_last4: card.last4().to_owned(),
            decline_code: String::new(),
            created_at: clock::wall_ms(),
            check_at: ctx.first_check_at(),
            checks: 0,
        };
        let cause = Cause { actor: &order.user_id, reason: "" };
        let begun: bool = transaction!(ctx.db, |tx| {
            let begun = advance_in(tx, &order, Status::Paying, cause).await?;
            if begun {
                payment::insert(tx, &payment).await?;
            }
            Ok(begun)
        })?;
        if begun {
            ctx.metrics.moved(Status::Paying);
            return Ok(order);
        }
    }
    Err(overtaken())
}

/// `false` where the order was moved meanwhile, and its stock is no longer held for that. A pin that no payment follows is
/// undone by the order's end.
async fn pin(ctx: &ServiceContext, order: &Order) -> Result<bool> {
    let pinned = ctx.product().pin_reservation(PinReservationRequest { order_id: order.id.clone() }).await;
    let Err(refused) = pinned.map_err(Error::from) else { return Ok(true) };
    match refused.reason() {
        // Its faults point to lines, and a payment has none.
        "out_of_stock" => Err(Error::new(Code::Conflict, "out_of_stock", refused.message().to_owned())),
        "illegal_transition" | "not_found" => {
            let now = order::by_id(&ctx.db, &order.id).await?.ok_or_else(no_such_order)?;
            if now.seq != order.seq {
                return Ok(false);
            }
            Err(Error::internal(refused))
        }
        _ => Err(refused),
    }
}

/// Writes down what the provider told, with the answer under the key. Where the reconciler was faster, its word stands.
async fn conclude(ctx: &ServiceContext, outcome: &Outcome, claim: &Claim) -> Result<Answer> {
    let check_at = ctx.next_check_at();
    for _ in 0..TRIES {
        let concluded: Option<(Settled, Answer)> = transaction!(ctx.db, |tx| {
            let settled = settle_in(tx, &claim.subject, outcome).await?;
            if let Settled::Overtaken = settled {
                return Ok(None);
            }
            let payment = find(tx, &claim.subject).await?;
            if payment.status == payment::Status::Pending {
                payment::check_at(tx, &payment.id, check_at).await?;
            }
            let answer = answer(tx, &payment).await?;
            match answer.keep(tx, claim).await {
                // This request was late, and another has answered under the key. What was charged is written all the same.
                Err(error) if answer::is_lost(&error) => {}
                kept => kept?,
            }
            Ok(Some((settled, answer)))
        })?;
        let Some((settled, answer)) = concluded else { continue };
        if let Settled::Moved(to) = settled {
            ctx.metrics.moved(to);
        }
        return Ok(answer);
    }
    Err(overtaken())
}

async fn answer(tx: &mut Tx, payment: &Payment) -> Result<Answer> {
    Ok(match payment.status {
        payment::Status::Declined => Answer::Declined(payment.decline_code.clone()),
        payment::Status::Void => Answer::Declined(VOIDED.to_owned()),
        _ => Answer::order(&view::in_transaction(tx, &payment.order_id).await?),
    })
}
