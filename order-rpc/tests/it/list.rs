//! Lists and single orders: whose they are, and in pages.

use crate::world::{World, fresh, pointers, reason, world};

async fn ids(world: &World, user: &str, status: &str, size: i32) -> Vec<String> {
    let (mut ids, mut token) = (Vec::new(), String::new());
    loop {
        let (items, next) = world.list(user, status, (size, &token)).await.unwrap();
        assert!(items.len() <= size as usize);
        ids.extend(items.into_iter().map(|order| order.id));
        if next.is_empty() {
            return ids;
        }
        token = next;
    }
}

#[tokio::test]
async fn somebody_elses_order_is_not_said_to_exist() {
    let world = world().await;
    let placed = world.placed("anna").await;
    for user in ["ben", "", "Anna"] {
        assert_eq!(reason(world.get(user, &placed.id).await), "not_found");
    }
    assert_eq!(reason(world.get("anna", "no such order").await), "not_found");
    assert_eq!(reason(world.get("anna", "").await), "not_found");
}

#[tokio::test]
async fn pages_show_every_order_once_and_the_newest_first() {
    let world = world().await;
    let mut placed = Vec::new();
    for _ in 0..7 {
        placed.push(world.place("anna", &fresh("k"), &[("spoon", 1)]).await.unwrap().id);
        world.place("ben", &fresh("k"), &[("spoon", 1)]).await.unwrap();
    }
    placed.reverse();
    for size in [1, 2, 3, 7, 100] {
        assert_eq!(ids(&world, "anna", "", size).await, placed, "{size}");
    }
    assert_eq!(ids(&world, "", "", 4).await.len(), 14);
    assert_eq!(ids(&world, "nobody", "", 4).await, [""; 0]);
    world.cancel("anna", &placed[2], "").await.unwrap();
    assert_eq!(ids(&world, "anna", "cancelled", 2).await, [placed[2].clone()]);
    assert_eq!(ids(&world, "anna", "pending_payment", 2).await.len(), 6);
    assert_eq!(ids(&world, "", "pending_payment", 5).await.len(), 13);
    let (whole, _) = world.list("anna", "", (100, "")).await.unwrap();
    assert_eq!(whole[2], world.get("anna", &placed[2]).await.unwrap());
    assert_eq!(whole[3], world.get("anna", &placed[3]).await.unwrap());
}

#[tokio::test]
async fn a_page_goes_on_where_it_ended_though_orders_came_before_it() {
    let world = world().await;
    let (first, second) = (world.placed("anna").await.id, world.placed("anna").await.id);
    let (page, token) = world.list("anna", "", (1, "")).await.unwrap();
    assert_eq!(page[0].id, second);
    world.placed("anna").await;
    let (page, token) = world.list("anna", "", (1, &token)).await.unwrap();
    assert_eq!((page[0].id.as_str(), token.as_str()), (first.as_str(), ""));
}

#[tokio::test]
async fn a_token_is_of_use_for_its_own_list_alone() {
    let world = world().await;
    for _ in 0..2 {
        world.placed("anna").await;
    }
    let (_, token) = world.list("anna", "pending_payment", (1, "")).await.unwrap();
    assert!(world.list("anna", "pending_payment", (5, &token)).await.is_ok());
    for (user, status) in
        [("ben", "pending_payment"), ("anna", ""), ("anna", "paid"), ("", "pending_payment")]
    {
        assert_eq!(pointers(world.list(user, status, (1, &token)).await), ["/page_token"]);
    }
    assert_eq!(pointers(world.list("anna", "", (1, "nonsense")).await), ["/page_token"]);
    assert_eq!(pointers(world.list("anna", "lost", (1, "")).await), ["/status"]);
    assert_eq!(pointers(world.list("anna", "", (101, "")).await), ["/page_size"]);
    assert_eq!(pointers(world.list("anna", "", (-1, "")).await), ["/page_size"]);
}
