//! Events: each move is told, in order, with all that a reader needs.

use proto::order::v1::{Line, OrderMoved};
use shared::queue::{Heard, Queue};
use shared::testing::eventually;

use crate::world::{SOON, euros, world_with};

#[tokio::test]
async fn every_move_is_told_in_order() {
    let mut url = String::new();
    let world = world_with(|config| url.clone_from(&config.queue.url)).await;
    let mut listener = Queue::open(&url).unwrap().listen(proto::order::TOPIC).await;
    let paid = world.paid("anna").await;
    world.ship(&paid.id).await.unwrap();
    world.refund(&paid.id, "").await.unwrap();
    for (sequence, from, to) in [
        (1, "", "pending_payment"),
        (2, "pending_payment", "paying"),
        (3, "paying", "paid"),
        (4, "paid", "shipped"),
        (5, "shipped", "refunded"),
    ] {
        let heard = tokio::time::timeout(SOON, listener.next()).await.unwrap();
        let Heard::Event(event) = heard else { panic!("the queue has ended") };
        assert_eq!((event.subject.as_str(), event.sequence), (paid.id.as_str(), sequence));
        assert_eq!(
            (event.kind.as_str(), event.source.as_str()),
            (format!("order.{to}").as_str(), "order-rpc")
        );
        let moved: OrderMoved = event.read().unwrap();
        let step = &world.get("anna", &paid.id).await.unwrap().history[sequence as usize - 1];
        assert_eq!(
            moved,
            OrderMoved {
                order_id: paid.id.clone(),
                user_id: "anna".into(),
                seq: sequence,
                from: from.into(),
                to: to.into(),
                at_ms: step.at_ms,
                lines: vec![Line { product_id: "pot".into(), quantity: 1 }],
                total: euros(2_500),
            }
        );
    }
    eventually(SOON, async || (world.records.unsent().await == 0).then_some(())).await;
}
