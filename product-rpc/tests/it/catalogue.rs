//! Categories, pages, search, single products.

use std::collections::HashSet;
use std::path::Path;

use proto::product::v1::{CreateProductRequest, GetProductsRequest, ListCategoriesRequest};
use proto::v1::Money;
use shared::config;

use crate::world::{World, configuration, open, pointers, reason, world, world_with};

async fn names(world: &World, query: &str) -> Vec<String> {
    let (items, _) = world.list("", query, "", (100, "")).await.unwrap();
    items.into_iter().map(|item| item.id).collect()
}

async fn create(world: &World, id: &str, name: &str, description: &str) {
    let req = CreateProductRequest {
        id: id.into(),
        name: name.into(),
        description: description.into(),
        category_id: "garden".into(),
        price: Some(Money { amount: 1000, currency: "EUR".into() }),
        image_url: String::new(),
        on_hand: 1,
    };
    world.product.clone().create_product(req).await.unwrap();
}

#[tokio::test]
async fn a_new_shop_has_a_catalogue_and_keeps_what_was_made_of_it() {
    let (world, folder) = world().await;
    let categories =
        world.product.clone().list_categories(ListCategoriesRequest {}).await.unwrap().into_inner();
    let seen: Vec<_> =
        categories.items.iter().map(|one| (one.id.as_str(), one.name.as_str(), one.product_count)).collect();
    assert_eq!(
        seen,
        [
            ("kitchen", "Kitchen", 4),
            ("workshop", "Workshop", 4),
            ("garden", "Garden", 4),
            ("lighting", "Lighting", 4),
            ("stationery", "Stationery", 4),
            ("outdoors", "Outdoors", 4),
        ]
    );
    world.set_stock("camp-stove", 77).await;
    create(&world, "rake", "Rake", "").await;
    world.lifecycle.stop().await;
    let again = open(folder.path(), |_| {}).await;
    assert_eq!(again.stock("camp-stove").await, (77, 0));
    assert_eq!(names(&again, "").await.len(), 25);
}

#[tokio::test]
async fn a_shop_may_begin_empty() {
    let (world, _folder) = world_with(|config| config.seed = false).await;
    assert_eq!(names(&world, "").await, [""; 0]);
}

#[tokio::test]
async fn a_product_shows_what_can_be_ordered_now() {
    let (world, _folder) = world().await;
    world.reserve("o", &[("camp-stove", 2)]).await.unwrap();
    let item = world.get("camp-stove").await.unwrap();
    assert_eq!((item.name.as_str(), item.category_id.as_str()), ("Camp Stove", "outdoors"));
    assert_eq!(item.price, Some(Money { amount: 5290, currency: "EUR".into() }));
    assert_eq!((item.image_url.as_str(), item.available, item.version), ("/pictures/camp-stove.svg", 3, 1));
    assert!(item.created_at_ms > 0);
    assert_eq!(reason(world.get("no-such-thing").await), "not_found");
}

#[tokio::test]
async fn of_many_ids_those_that_exist_are_answered() {
    let (world, _folder) = world().await;
    let get = async |ids: Vec<String>| {
        let req = GetProductsRequest { ids };
        world.product.clone().get_products(req).await.map(|rsp| rsp.into_inner().items)
    };
    let ids = ["desk-lamp", "nothing", "desk-globe", "desk-lamp", ""].map(str::to_owned).to_vec();
    let found: HashSet<String> = get(ids).await.unwrap().into_iter().map(|item| item.id).collect();
    assert_eq!(found, HashSet::from(["desk-lamp".to_owned(), "desk-globe".to_owned()]));
    assert!(get(vec![]).await.unwrap().is_empty());
    assert_eq!(get(vec!["desk-lamp".to_owned(); 100]).await.unwrap().len(), 1);
    let refused = get(vec!["desk-lamp".to_owned(); 101]).await.map_err(shared::error::Error::from);
    assert_eq!(pointers(refused), ["/ids"]);
}

#[tokio::test]
async fn pages_of_every_order_show_each_product_once() {
    let (world, _folder) = world().await;
    // As many with one price and one time as a page has, so that the order within them matters.
    create(&world, "twin-a", "twin", "").await;
    create(&world, "twin-b", "Twin", "").await;
    for sort in ["", "name", "price", "-price", "newest"] {
        let (whole, none) = world.list("", "", sort, (100, "")).await.unwrap();
        assert_eq!((whole.len(), none.as_str()), (26, ""));
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let (items, next) = world.list("", "", sort, (3, &token)).await.unwrap();
            seen.extend(items);
            assert!(seen.len() <= whole.len(), "{sort}: a page comes twice");
            if next.is_empty() {
                break;
            }
            token = next;
        }
        assert_eq!(seen, whole, "{sort}");
        let keys = seen.iter().map(|item| match sort {
            "price" => item.price.as_ref().unwrap().amount.into(),
            "-price" => (-item.price.as_ref().unwrap().amount).into(),
            "newest" => (-item.created_at_ms).into(),
            _ => serde_json::Value::from(item.name.to_ascii_lowercase()),
        });
        let keys: Vec<String> = keys
            .map(|key| match key {
                serde_json::Value::Number(number) => format!("{:020}", number.as_i64().unwrap() + (1 << 60)),
                other => other.to_string(),
            })
            .collect();
        assert!(keys.is_sorted(), "{sort}: {keys:?}");
    }
}

#[tokio::test]
async fn a_page_goes_on_where_it_ended_though_products_came_and_went_before_it() {
    let (world, _folder) = world().await;
    let (first, token) = world.list("", "", "name", (3, "")).await.unwrap();
    create(&world, "aaa", "Aardvark", "").await;
    create(&world, "zzz", "Zebra", "").await;
    let (rest, _) = world.list("", "", "name", (100, &token)).await.unwrap();
    assert_eq!(rest.len(), 22);
    assert!(rest.iter().all(|item| !first.contains(item) && item.id != "aaa"));
    assert_eq!(rest.last().unwrap().id, "zzz");
}

#[tokio::test]
async fn a_token_is_of_use_for_its_own_list_alone() {
    let (world, _folder) = world().await;
    let (_, token) = world.list("garden", "e", "price", (1, "")).await.unwrap();
    assert!(world.list("garden", " e ", "price", (3, &token)).await.is_ok());
    for (category, query, sort) in
        [("kitchen", "e", "price"), ("garden", "", "price"), ("garden", "e", "-price"), ("garden", "e", "")]
    {
        assert_eq!(pointers(world.list(category, query, sort, (1, &token)).await), ["/page_token"]);
    }
    assert_eq!(pointers(world.list("garden", "e", "price", (1, "AAAA")).await), ["/page_token"]);
    // The order that has a name has none when it is the default one.
    let (_, token) = world.list("", "", "", (1, "")).await.unwrap();
    assert!(world.list("", "", "name", (1, &token)).await.is_ok());
}

#[tokio::test]
async fn a_list_is_refused_for_what_it_cannot_be() {
    let (world, _folder) = world().await;
    assert_eq!(pointers(world.list("", "", "", (101, "")).await), ["/page_size"]);
    assert_eq!(pointers(world.list("", "", "", (-1, "")).await), ["/page_size"]);
    assert_eq!(pointers(world.list("", "", "size", (1, "")).await), ["/sort"]);
    assert_eq!(pointers(world.list("", &"a".repeat(101), "", (1, "")).await), ["/q"]);
    assert_eq!(world.list("no-such-category", "", "", (1, "")).await.unwrap().0, []);
    assert_eq!(world.list("", "", "", (0, "")).await.unwrap().0.len(), 20);
}

#[tokio::test]
async fn words_are_found_in_name_or_description_whatever_their_case() {
    let (world, _folder) = world().await;
    assert_eq!(names(&world, "SKILLET").await, ["cast-iron-skillet"]);
    assert_eq!(names(&world, "  lamp   desk ").await, ["desk-lamp"]);
    assert_eq!(names(&world, "usb-c").await, ["pocket-torch"]);
    assert_eq!(names(&world, "lamp hammer").await, [""; 0]);
    let (lamps, _) = world.list("lighting", "lamp", "", (100, "")).await.unwrap();
    assert_eq!(lamps.len(), 2);
    // As many words as fit.
    assert_eq!(names(&world, &"e ".repeat(50)).await.len(), 24);
}

#[tokio::test]
async fn no_sign_means_anything_in_a_search() {
    let (world, _folder) = world().await;
    let texts = ["100%", "a_b", "c\\d", "it's", "\"q\"", "*x*", "Österreich", "[z]", "!"];
    for (at, text) in texts.iter().enumerate() {
        create(&world, &format!("odd-{at}"), &format!("odd {text}"), "").await;
    }
    for (at, text) in texts.iter().enumerate() {
        let query = format!("odd {text}");
        assert_eq!(names(&world, &query).await, [format!("odd-{at}")], "{text}");
    }
    for nothing in ["odd %%", "odd _", "odd a%b", "odd' OR 1=1 --", "odd\0", "odd ?"] {
        let expected: &[&str] = if nothing == "odd _" { &["odd-1"] } else { &[] };
        assert_eq!(names(&world, nothing).await, expected, "{nothing:?}");
    }
}

#[tokio::test]
async fn a_list_is_whole_while_orders_change_its_stock() {
    let (world, _folder) = world().await;
    let other = world.clone();
    let orders = async move {
        for at in 0..20 {
            other.reserve(&format!("o{at}"), &[("dot-grid-notebook", 1)]).await.unwrap();
        }
    };
    let lists = async {
        for _ in 0..20 {
            assert_eq!(names(&world, "").await.len(), 24);
        }
    };
    tokio::join!(orders, lists);
    assert_eq!(world.get("dot-grid-notebook").await.unwrap().available, 180);
}

#[test]
fn a_configuration_is_refused_for_all_its_faults_at_once() {
    let text = include_str!("../../etc/product-rpc.yaml")
        .replace("Currency: EUR", "Currency: euro")
        .replace("MaxTtl: 1day", "MaxTtl: 1m")
        .replace("Batch: 100", "Batch: 0")
        .replace("Sweep: 1s", "Sweep: 0s")
        .replace("Lease: 30s", "Lease: 2days");
    let refused = config::parse::<product_rpc::config::Config>("x", &text, &|_| None).err().unwrap();
    let message = refused.to_string();
    for key in ["Currency", "Reservation.Ttl", "Reservation.Batch", "Reservation.Sweep", "Idempotency.Lease"]
    {
        assert!(message.contains(&format!("{key}: ")), "{key}: {message}");
    }
    let loaded = configuration(Path::new("data"));
    assert_eq!(loaded.own.reservation.ttl.as_secs(), 960);
}
