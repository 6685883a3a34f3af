//! PlaceOrder: prices the lines, reserves all of them or none, and makes the order. Once for a key.
//!
//! Two databases agree in this order: product-rpc holds the stock under the order's id, then this one writes the order.
//! The id is the key's subject, known before either. Whatever ends between the two leaves stock that is held for no order,
//! never an order without stock; and the hold is given back as soon as its key is heard of again, or ends by itself.

use prost::Message as _;
use proto::order::v1::{OrderView, PlaceOrderRequest};
use proto::product::v1::{ReleaseRequest, Reservation};
use shared::error::{Code, Error, Result};
use shared::store::idempotency::{self, Claim, Key, Known};
use shared::{clock, crash, transaction};

use super::advance::{self, Cause};
use super::answer::{self, Answer};
use super::quote::{self, Quote};
use super::{check_user, view};
use crate::model::order::Order;
use crate::model::order_line::OrderLine;
use crate::status::Status;
use crate::svc::ServiceContext;

/// The first may find, and clear away, what an earlier request left; the second begins anew.
const TRIES: u32 = 2;

pub(crate) async fn place_order(ctx: &ServiceContext, req: PlaceOrderRequest) -> Result<OrderView> {
    check_user(&req.user_id)?;
    quote::check(&req)?;
    let key = key(&req)?;
    for _ in 0..TRIES {
        let claim = match idempotency::begin(&ctx.db, &key, ctx.config.idempotency.lease).await? {
            Known::Done(answer) => return Answer::parse(&answer)?.give(),
            Known::Claimed(claim) => claim,
        };
        let (service, req) = (ctx.clone(), req.clone());
        if let Some(order) = ctx.whole(async move { attempt(&service, &req, &claim).await }).await? {
            return Ok(order);
        }
    }
    Err(Error::unavailable("an earlier request with this Idempotency-Key is being cleared away"))
}

/// What must be the same the second time is what was asked for. For a cart that is the cart, whatever is in it: it is
/// emptied by the very order that a second request must find again.
fn key(req: &PlaceOrderRequest) -> Result<Key> {
    let asked = PlaceOrderRequest { idempotency_key: String::new(), ..req.clone() };
    Key::new(&req.user_id, "place_order", &req.idempotency_key, &asked.encode_to_vec())
}

/// `None` where what an earlier try left was cleared away, and the key is free again.
async fn attempt(ctx: &ServiceContext, req: &PlaceOrderRequest, claim: &Claim) -> Result<Option<OrderView>> {
    if claim.again {
        clear_away(ctx, claim).await?;
        return Ok(None);
    }
    let quote = match quote::quote(ctx, req).await {
        Ok(quote) => quote,
        Err(error) => {
            answer::free(&ctx.db, claim).await;
            return Err(error);
        }
    };
    let hold = match quote::reserve(ctx, &quote, &claim.subject).await {
        Ok(hold) => hold,
        // Who took the key over has seen to it that this id reserves nothing.
        Err(error) if error.reason() == "illegal_transition" => return Err(answer::lost().caused_by(error)),
        Err(error) if is_refusal(&error) => {
            answer::free(&ctx.db, claim).await;
            return Err(error);
        }
        Err(error) => return Err(give_up(ctx, claim, error).await),
    };
    crash::point("after_reserve");
    let order = write(ctx, req, quote, &hold, claim).await?;
    crash::point("after_order_commit");
    if req.from_cart {
        empty_cart(ctx, &order).await;
    }
    Ok(Some(order))
}

/// An earlier try may have reserved; it cannot write its order any more, since the key is ours. Its hold is of no use: it
/// may end soon, and a cart may hold something else by now.
async fn clear_away(ctx: &ServiceContext, claim: &Claim) -> Result<()> {
    if let Err(error) = release(ctx, &claim.subject).await {
        answer::hand_over(&ctx.db, claim).await;
        return Err(error);
    }
    idempotency::release(&ctx.db, claim).await
}

/// An answer of product-rpc itself, which has reserved nothing. Any other failure may have lost the answer of a hold.
fn is_refusal(error: &Error) -> bool {
    matches!(error.code(), Code::InvalidArgument | Code::Conflict | Code::NotFound)
}

/// One transaction: order, lines, first move, event, and the answer under the key.
async fn write(
    ctx: &ServiceContext,
    req: &PlaceOrderRequest,
    quote: Quote,
    hold: &Reservation,
    claim: &Claim,
) -> Result<OrderView> {
    let (order, lines) = order(ctx, req, quote, hold);
    let cause = Cause { actor: &req.user_id, reason: "" };
    let mut is_complete = false;
    let written: Result<OrderView> = transaction!(ctx.db, |tx| {
        is_complete = false;
        advance::place(tx, &order, &lines, cause).await?;
        let view = view::in_transaction(tx, &order.id).await?;
        Answer::order(&view).keep(tx, claim).await?;
        crash::point("before_order_commit");
        is_complete = true;
        Ok(view)
    });
    match written {
        Ok(view) => {
            ctx.metrics.moved(order.status);
            Ok(view)
        }
        // The commit itself failed, and may have been done: the order may be there and need its stock. The next request with
        // the key finds either the answer, or a hold to clear away.
        Err(error) if is_complete => {
            answer::hand_over(&ctx.db, claim).await;
            Err(error)
        }
        // Another request has taken the key over. It clears the hold away.
        Err(error) if answer::is_lost(&error) => Err(error),
        Err(error) => Err(give_up(ctx, claim, error).await),
    }
}

fn order(
    ctx: &ServiceContext,
    req: &PlaceOrderRequest,
    quote: Quote,
    hold: &Reservation,
) -> (Order, Vec<OrderLine>) {
    let conf = &ctx.config.order;
    let now = clock::wall_ms();
    let id = hold.order_id.clone();
    let lines = quote.lines.into_iter().map(|line| OrderLine {
        order_id: id.clone(),
        product_id: line.wanted.product_id,
        name: line.name,
        quantity: line.wanted.quantity,
        unit_price: line.unit_price,
    });
    let lines = lines.collect();
    let order = Order {
        id,
        user_id: req.user_id.clone(),
        status: Status::PendingPayment,
        seq: 1,
        total: quote.total,
        address: req.address.clone().unwrap_or_default(),
        created_at: now,
        // It ends before its hold does.
        expires_at: (now + conf.expiry.as_millis() as i64)
            .min(hold.expires_at_ms - conf.hold_margin.as_millis() as i64),
    };
    (order, lines)
}

/// After a failure that may have left a hold, and left no order. The key is free once product-rpc has said that nothing is
/// held, and that nothing will be by a call that is still on its way. Without that word it is not, or the hold would be
/// forgotten: the next request with the key finds it by the subject and clears it away. If there is none, it ends by itself.
async fn give_up(ctx: &ServiceContext, claim: &Claim, error: Error) -> Error {
    match release(ctx, &claim.subject).await {
        Ok(()) => answer::free(&ctx.db, claim).await,
        Err(error) => {
            tracing::warn!(order_id = claim.subject, error = error.chain(), "a hold is not given back yet");
            answer::hand_over(&ctx.db, claim).await;
        }
    }
    error
}

async fn release(ctx: &ServiceContext, order_id: &str) -> Result<()> {
    ctx.product().release(ReleaseRequest { order_id: order_id.to_owned() }).await?;
    Ok(())
}

/// After the commit. A cart that stays full in a crash or a failure is a smaller evil than one that was emptied for nothing.
async fn empty_cart(ctx: &ServiceContext, order: &OrderView) {
    let ordered: Vec<(&str, i32)> =
        order.items.iter().map(|item| (item.product_id.as_str(), item.quantity)).collect();
    if let Err(error) = ctx.carts.remove_ordered(&order.user_id, &ordered).await {
        tracing::warn!(order_id = order.id, error = error.chain(), "the cart of this order is still full");
    }
}
