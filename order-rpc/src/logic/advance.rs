//! The moves of an order. Every one of them passes here: a guarded update, a row of the history and an event, in one
//! transaction.

use proto::order::v1::{Line, OrderMoved};
use shared::error::{Error, Result};
use shared::queue::{Event, outbox, sent};
use shared::store::sql::Tx;
use shared::{clock, transaction};

use super::{SELF, no_such_order};
use crate::model::order::{self, Order};
use crate::model::order_line::{self, OrderLine};
use crate::model::order_move::{self, OrderMove};
use crate::model::payment;
use crate::status::Status;
use crate::svc::ServiceContext;

/// How often a move is tried anew because another one came first. An order has few moves in its life.
pub(super) const TRIES: u32 = 8;

/// Who makes a move, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause<'a> {
    pub(crate) actor: &'a str,
    /// At most 200 characters; customers see it.
    pub(crate) reason: &'a str,
}

impl Cause<'_> {
    pub(crate) fn ours(reason: &str) -> Cause<'_> {
        Cause { actor: SELF, reason }
    }
}

/// What a move came to.
pub(crate) struct Moved {
    /// Of the payment whose money is owed back now.
    pub(crate) owed: Option<String>,
}

/// Moves an order to what `target` says of its present state; anew where somebody else moved it in between.
pub(crate) async fn advance(
    ctx: &ServiceContext,
    order_id: &str,
    cause: Cause<'_>,
    target: impl Fn(&Order) -> Result<Status>,
) -> Result<Moved> {
    for _ in 0..TRIES {
        // Outside the transaction, so that a refusal takes no writer's turn.
        let order = order::by_id(&ctx.db, order_id).await?.ok_or_else(no_such_order)?;
        let to = target(&order)?;
        order.status.check(to)?;
        let check_at = ctx.first_check_at();
        let moved: Option<Moved> = transaction!(ctx.db, |tx| {
            if !advance_in(tx, &order, to, cause).await? {
                return Ok(None);
            }
            let owed = match to {
                Status::Refunded => Some(owe(tx, &order.id, check_at).await?),
                _ => None,
            };
            Ok(Some(Moved { owed }))
        })?;
        if let Some(moved) = moved {
            ctx.metrics.moved(to);
            return Ok(moved);
        }
    }
    Err(overtaken())
}

/// Before the answer to a move that gives stock back, so that its customer can order it again at once. What takes longer
/// happens all the same.
pub(super) async fn until_stock_is_back(ctx: &ServiceContext, order_id: &str) {
    let patience = ctx.config.order.stock_wait;
    if let Err(error) = sent::until(&ctx.db, proto::order::TOPIC, order_id, patience).await {
        tracing::warn!(order_id, error = error.chain(), "it is not known whether the stock is back");
    }
}

/// What may well succeed the next time.
pub(super) fn overtaken() -> Error {
    Error::unavailable("others are moving this order at the same time")
}

/// A move within a transaction that does more; `false` where another one came first, and nothing was written.
pub(super) async fn advance_in(tx: &mut Tx, order: &Order, to: Status, cause: Cause<'_>) -> Result<bool> {
    order.status.check(to)?;
    if !order::advance(tx, order, to).await? {
        return Ok(false);
    }
    let lines = order_line::of_order(tx, &order.id).await?;
    let moved = Order { status: to, seq: order.seq + 1, ..order.clone() };
    record(tx, order.status.as_str(), &moved, &lines, cause).await?;
    Ok(true)
}

/// The first move: the order comes to be.
pub(super) async fn place(tx: &mut Tx, order: &Order, lines: &[OrderLine], cause: Cause<'_>) -> Result<()> {
    order::insert(tx, order).await?;
    for (position, line) in lines.iter().enumerate() {
        order_line::insert(tx, line, position).await?;
    }
    record(tx, "", order, lines, cause).await
}

async fn record(tx: &mut Tx, from: &str, order: &Order, lines: &[OrderLine], cause: Cause<'_>) -> Result<()> {
    let at = clock::wall_ms();
    let step = OrderMove {
        order_id: order.id.clone(),
        seq: order.seq,
        from: from.to_owned(),
        to: order.status.to_string(),
        reason: cause.reason.to_owned(),
        actor: cause.actor.to_owned(),
        at,
    };
    order_move::insert(tx, &step).await?;
    let line = |line: &OrderLine| Line { product_id: line.product_id.clone(), quantity: line.quantity };
    let data = OrderMoved {
        order_id: step.order_id,
        user_id: order.user_id.clone(),
        seq: step.seq,
        from: step.from,
        to: step.to,
        at_ms: at,
        lines: lines.iter().map(line).collect(),
        total: Some(order.total.clone()),
    };
    let kind = format!("order.{}", order.status);
    let event = Event::new(SELF, &kind, &order.id, order.seq, &data).map_err(Error::internal)?;
    outbox::add(tx, proto::order::TOPIC, &event).await
}

async fn owe(tx: &mut Tx, order_id: &str, check_at: i64) -> Result<String> {
    let owed = payment::owe(tx, order_id, check_at).await?;
    owed.ok_or_else(|| Error::internal(format!("the order {order_id} is refunded, and nothing was paid")))
}
