//! An order as the contract shows it, put together from its tables.

use proto::order::v1::{Move, OrderItem, OrderView};
use proto::v1::Money;
use shared::error::{Error, Result};
use shared::store::sql::{Db, Tx};

use super::no_such_order;
use crate::model::order::{self, Order, Shown};
use crate::model::order_line::{self, OrderLine};
use crate::model::order_move::{self, OrderMove};

pub(super) async fn of_order(db: &Db, order_id: &str) -> Result<OrderView> {
    let shown = order::shown(db, order_id).await?.ok_or_else(no_such_order)?;
    let mut views = of_all(db, vec![shown]).await?;
    views.pop().ok_or_else(no_such_order)
}

/// As the transaction leaves it.
pub(super) async fn in_transaction(tx: &mut Tx, order_id: &str) -> Result<OrderView> {
    let shown = order::shown_in(tx, order_id).await?.ok_or_else(no_such_order)?;
    let lines = order_line::of_order(tx, order_id).await?;
    let moves = order_move::of_order(tx, order_id).await?;
    put_together(shown, lines.iter(), moves.iter())
}

/// In the order given.
pub(super) async fn of_all(db: &Db, orders: Vec<Shown>) -> Result<Vec<OrderView>> {
    let ids: Vec<&str> = orders.iter().map(|shown| shown.order.id.as_str()).collect();
    let lines = order_line::of_orders(db, &ids).await?;
    let moves = order_move::of_orders(db, &ids).await?;
    let view = |shown: Shown| {
        let id = shown.order.id.clone();
        let lines = lines.iter().filter(|line| line.order_id == id);
        put_together(shown, lines, moves.iter().filter(|step| step.order_id == id))
    };
    orders.into_iter().map(view).collect()
}

fn put_together<'a>(
    shown: Shown,
    lines: impl Iterator<Item = &'a OrderLine>,
    moves: impl Iterator<Item = &'a OrderMove>,
) -> Result<OrderView> {
    let Shown { order, payment } = shown;
    Ok(OrderView {
        status: order.status.to_string(),
        items: lines.map(|line| item(&order, line)).collect::<Result<_>>()?,
        // A move that was made since the order was read is left out, so that its last one is the status.
        history: moves.filter(|step| step.seq <= order.seq).map(step).collect(),
        payment,
        created_at_ms: order.created_at,
        expires_at_ms: order.expires_at,
        total: Some(order.total),
        address: Some(order.address),
        user_id: order.user_id,
        id: order.id,
    })
}

fn item(order: &Order, line: &OrderLine) -> Result<OrderItem> {
    let money = |amount| Some(Money { amount, currency: order.total.currency.clone() });
    let line_total = line.unit_price.checked_mul(line.quantity.into());
    let line_total = line_total.ok_or_else(|| Error::internal("a line's total is too large"))?;
    Ok(OrderItem {
        product_id: line.product_id.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: money(line.unit_price),
        line_total: money(line_total),
    })
}

fn step(step: &OrderMove) -> Move {
    Move {
        seq: step.seq,
        from: step.from.clone(),
        to: step.to.clone(),
        at_ms: step.at,
        reason: step.reason.clone(),
    }
}
