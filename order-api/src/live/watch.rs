//! One customer's stream of one order: the history after what the customer has seen, then what is heard live, each move
//! once and in order. Where an event is missing, the history is read again.

use std::collections::VecDeque;

use futures_util::stream;
use proto::order::v1::{GetOrderRequest, Move};
use shared::error::Result;
use shared::pipeline::ambient::{self, Ambient};
use shared::pipeline::auth::Caller;
use shared::rest::{Event, Events};

use super::hub::{News, Watcher};
use crate::api::types::OrderEvent;
use crate::convert;
use crate::svc::ServiceContext;

/// NOT_FOUND for somebody else's order. The stream ends when its history can no longer be read: its client comes back
/// with the id of the last event that it got.
pub(crate) async fn open(
    ctx: &ServiceContext,
    caller: Caller,
    order_id: String,
    last_event_id: Option<i64>,
) -> Result<Events> {
    // First, so that nothing can happen between the history and the live events.
    let watcher = ctx.hub.watch(&order_id)?;
    let mut moves =
        Moves { ctx: ctx.clone(), user_id: caller.id, order_id, watcher, seen: 0, waiting: VecDeque::new() };
    let history = moves.history().await?;
    // Nobody has seen what has not happened.
    let newest = history.iter().map(|step| step.seq).max().unwrap_or_default();
    moves.seen = last_event_id.unwrap_or_default().min(newest);
    moves.take(history);
    // What the stream does later belongs to the trace of its request.
    let around = Ambient { deadline: None, ..ambient::current().unwrap_or_default() };
    Ok(Events::new(stream::unfold(moves, move |moves| ambient::scope(around, moves.step()))))
}

struct Moves {
    ctx: ServiceContext,
    user_id: String,
    order_id: String,
    watcher: Watcher,
    /// The number of the last move that was taken.
    seen: i64,
    waiting: VecDeque<OrderEvent>,
}

impl Moves {
    async fn step(mut self) -> Option<(Event, Moves)> {
        match self.next().await {
            Ok(event) => Some((event, self)),
            Err(error) => {
                tracing::warn!(order = self.order_id, error = error.chain(), "a stream of an order ends");
                None
            }
        }
    }

    async fn next(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                let id = event.seq;
                return Ok(Event::json("order.status", &event)?.id(id));
            }
            match self.watcher.next().await {
                News::Moved(event) if event.seq <= self.seen => {}
                News::Moved(event) if event.seq == self.seen + 1 => {
                    self.seen = event.seq;
                    self.waiting.push_back(event);
                }
                News::Moved(_) | News::Missed => {
                    let ctx = self.ctx.clone();
                    let _turn = ctx.hub.turn_to_read().await?;
                    let history = self.history().await?;
                    self.take(history);
                }
            }
        }
    }

    async fn history(&self) -> Result<Vec<Move>> {
        let req = GetOrderRequest { user_id: self.user_id.clone(), order_id: self.order_id.clone() };
        Ok(self.ctx.order().get_order(req).await?.into_inner().history)
    }

    fn take(&mut self, mut history: Vec<Move>) {
        history.sort_by_key(|step| step.seq);
        for step in history {
            if step.seq > self.seen {
                self.seen = step.seq;
                self.waiting.push_back(convert::past(&self.order_id, step));
            }
        }
    }
}
