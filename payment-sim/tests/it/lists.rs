//! All charges, page by page.

use serde_json::Value;

use crate::world::{GOOD, World, refused};

fn keys(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_charge_is_on_one_page_and_what_comes_later_is_at_the_end() {
    let world = World::new().await;
    for key in ["e", "d", "c", "b"] {
        world.charge(key, GOOD).await;
    }
    let (status, first) = world.list("page_size=3").await;
    assert_eq!((status, keys(&first)), (200, vec!["e".into(), "d".into(), "c".into()]));
    world.void("a").await;
    let token = first["next_page_token"].as_str().unwrap();
    let (_, last) = world.list(&format!("page_size=3&page_token={token}")).await;
    assert_eq!(keys(&last), ["b", "a"]);
    assert!(last.get("next_page_token").is_none());
    assert_eq!(keys(&world.list("").await.1).len(), 5);
    assert!(world.list("page_size=5").await.1.get("next_page_token").is_none());
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused() {
    let world = World::new().await;
    for query in ["page_size=0", "page_size=101", "page_size=many", "page_token=x", "page=2"] {
        refused(&world.list(query).await, 400, "invalid_argument");
    }
}
