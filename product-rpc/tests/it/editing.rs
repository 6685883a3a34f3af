//! Making and editing products.

use proto::product::v1::{CreateProductRequest, Item, UpdateProductRequest};
use proto::v1::Money;
use shared::config::Loaded;
use shared::error::Error;
use shared::lifecycle::{Lifecycle, Shutdown};
use tokio::task::JoinSet;

use crate::world::{World, configuration, pointers, reason, world};

fn euros(amount: i64) -> Option<Money> {
    Some(Money { amount, currency: "EUR".into() })
}

fn rake() -> CreateProductRequest {
    CreateProductRequest {
        id: "rake".into(),
        name: " Rake ".into(),
        description: "With\ntwo lines.".into(),
        category_id: "garden".into(),
        price: euros(1999),
        image_url: "https://example.com/rake.png".into(),
        on_hand: 12,
    }
}

async fn create(world: World, req: CreateProductRequest) -> Result<Item, Error> {
    Ok(world.product.clone().create_product(req).await?.into_inner())
}

async fn update(world: World, req: UpdateProductRequest) -> Result<Item, Error> {
    Ok(world.product.clone().update_product(req).await?.into_inner())
}

fn edit(version: i64) -> UpdateProductRequest {
    UpdateProductRequest { id: "rake".into(), expected_version: version, ..UpdateProductRequest::default() }
}

#[tokio::test]
async fn a_product_that_was_made_is_in_the_catalogue_with_its_stock() {
    let (world, _folder) = world().await;
    let made = create(world.clone(), rake()).await.unwrap();
    assert_eq!((made.name.as_str(), made.available, made.version), ("Rake", 12, 1));
    assert_eq!(world.get("rake").await.unwrap(), made);
    assert_eq!(world.stock("rake").await, (12, 0));
    assert_eq!(world.moved("rake").await, 12);
    let (garden, _) = world.list("garden", "", "", (100, "")).await.unwrap();
    assert_eq!(garden.len(), 5);
}

#[tokio::test]
async fn an_id_is_made_where_none_is_given_and_can_be_taken_once() {
    let (world, _folder) = world().await;
    let unnamed = CreateProductRequest { id: String::new(), on_hand: 0, ..rake() };
    let (one, two) = (
        create(world.clone(), unnamed.clone()).await.unwrap(),
        create(world.clone(), unnamed).await.unwrap(),
    );
    assert_eq!(uuid::Uuid::parse_str(&one.id).unwrap().get_version_num(), 7);
    assert_ne!(one.id, two.id);
    assert_eq!(world.moved(&one.id).await, 0);
    create(world.clone(), rake()).await.unwrap();
    assert_eq!(reason(create(world.clone(), rake()).await), "version_conflict");
    assert_eq!(world.moved("rake").await, 12);
}

#[tokio::test]
async fn of_many_who_make_one_id_one_does() {
    let (world, _folder) = world().await;
    let made = at_once((0..8).map(|_| create(world.clone(), rake()))).await;
    assert_eq!(made.iter().filter(|one| one.is_ok()).count(), 1);
    assert!(made.into_iter().filter(Result::is_err).all(|one| reason(one) == "version_conflict"));
}

/// Lets all run at once, and answers what came of each.
async fn at_once<T: Send + 'static>(
    tries: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    tries.collect::<JoinSet<_>>().join_all().await
}

#[tokio::test]
async fn a_product_is_refused_for_all_its_faults_at_once() {
    let (world, _folder) = world().await;
    let bad = CreateProductRequest {
        id: "Not A Slug".into(),
        name: "  ".into(),
        description: "x".repeat(5001),
        category_id: "no-such-category".into(),
        price: Some(Money { amount: -1, currency: "USD".into() }),
        image_url: "javascript:alert(1)".into(),
        on_hand: -1,
    };
    assert_eq!(
        pointers(create(world.clone(), bad).await),
        [
            "/on_hand",
            "/id",
            "/name",
            "/description",
            "/image_url",
            "/price/amount",
            "/price/currency",
            "/category_id"
        ]
    );
    let one = async |change: fn(&mut CreateProductRequest)| {
        let mut req = rake();
        change(&mut req);
        pointers(create(world.clone(), req).await)
    };
    assert_eq!(one(|req| req.price = None).await, ["/price"]);
    assert_eq!(one(|req| req.price = euros(100_000_001)).await, ["/price/amount"]);
    assert_eq!(one(|req| req.price = euros(i64::MIN)).await, ["/price/amount"]);
    assert_eq!(one(|req| req.on_hand = 1_000_001).await, ["/on_hand"]);
    assert_eq!(one(|req| req.id = "x".repeat(65)).await, ["/id"]);
    assert_eq!(one(|req| req.name = "x".repeat(201)).await, ["/name"]);
    assert_eq!(one(|req| req.name = "two\nlines".into()).await, ["/name"]);
    assert_eq!(one(|req| req.description = "nul\0".into()).await, ["/description"]);
    assert_eq!(one(|req| req.image_url = "//elsewhere/x.png".into()).await, ["/image_url"]);
    assert_eq!(one(|req| req.image_url = format!("/{}", "x".repeat(500))).await, ["/image_url"]);
    assert_eq!(reason(world.get("rake").await), "not_found");
    let most = CreateProductRequest {
        name: "ä".repeat(200),
        price: euros(100_000_000),
        on_hand: 1_000_000,
        image_url: String::new(),
        ..rake()
    };
    assert_eq!(create(world.clone(), most).await.unwrap().available, 1_000_000);
}

#[tokio::test]
async fn an_edit_changes_what_is_set_and_counts() {
    let (world, _folder) = world().await;
    let made = create(world.clone(), rake()).await.unwrap();
    let price = update(world.clone(), UpdateProductRequest { price: euros(0), ..edit(1) }).await.unwrap();
    assert_eq!(price, Item { price: euros(0), version: 2, ..made.clone() });
    let texts = UpdateProductRequest {
        name: Some(" Leaf Rake ".into()),
        description: Some(String::new()),
        category_id: Some("workshop".into()),
        image_url: Some(String::new()),
        ..edit(2)
    };
    let texts = update(world.clone(), texts).await.unwrap();
    assert_eq!((texts.name.as_str(), texts.description.as_str()), ("Leaf Rake", ""));
    assert_eq!((texts.category_id.as_str(), texts.image_url.as_str(), texts.version), ("workshop", "", 3));
    assert_eq!(world.get("rake").await.unwrap(), texts);
    // What changes nothing is no edit.
    assert_eq!(update(world.clone(), edit(3)).await.unwrap(), texts);
    assert_eq!(world.stock("rake").await, (12, 0));
}

#[tokio::test]
async fn an_edit_of_another_version_is_refused_and_stock_is_no_edit() {
    let (world, _folder) = world().await;
    create(world.clone(), rake()).await.unwrap();
    world.reserve("o", &[("rake", 2)]).await.unwrap();
    world.set_stock("rake", 20).await;
    let name = |name: &str, version| UpdateProductRequest { name: Some(name.into()), ..edit(version) };
    assert_eq!(update(world.clone(), name("one", 1)).await.unwrap().available, 18);
    assert_eq!(reason(update(world.clone(), name("two", 1)).await), "precondition_failed");
    assert_eq!(reason(update(world.clone(), name("two", 3)).await), "precondition_failed");
    let unknown = UpdateProductRequest { id: "unknown".into(), ..edit(1) };
    assert_eq!(reason(update(world.clone(), unknown).await), "not_found");
    let done = at_once((0..8).map(|at| update(world.clone(), name(&format!("at once {at}"), 2)))).await;
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
    assert!(done.into_iter().filter(Result::is_err).all(|one| reason(one) == "precondition_failed"));
    assert_eq!(world.get("rake").await.unwrap().version, 3);
}

#[tokio::test]
async fn an_edit_is_refused_for_what_a_product_cannot_be() {
    let (world, _folder) = world().await;
    let made = create(world.clone(), rake()).await.unwrap();
    let bad = UpdateProductRequest {
        name: Some(String::new()),
        category_id: Some("no-such-category".into()),
        price: Some(Money { amount: 1, currency: "JPY".into() }),
        ..edit(1)
    };
    assert_eq!(pointers(update(world.clone(), bad).await), ["/name", "/price/currency", "/category_id"]);
    assert_eq!(world.get("rake").await.unwrap(), made);
}

#[tokio::test]
async fn a_shop_does_not_start_in_another_currency_than_its_prices() {
    let (world, folder) = world().await;
    world.lifecycle.stop().await;
    let Loaded { mut listen, mut own, service } = configuration(folder.path());
    listen.port = 0;
    own.currency = "USD".into();
    let lifecycle = Lifecycle::new("product-rpc", &Shutdown::default());
    let refused = product_rpc::start(listen, own, service.mode, &lifecycle).await.unwrap_err().to_string();
    assert_eq!(refused, "Currency: is USD, but the catalogue has prices in EUR");
}

#[tokio::test]
async fn the_list_of_categories_is_remembered_until_a_product_comes_or_moves() {
    let (world, _folder) = world().await;
    let count = async |id: &str| {
        let all = world.categories().await;
        all.into_iter().find(|one| one.0 == id).unwrap().1
    };
    assert_eq!(count("garden").await, 4);
    // Behind the service's back, so that it cannot know.
    sqlx::query("UPDATE products SET category_id = 'kitchen' WHERE id = 'rain-gauge'")
        .execute(&world.db)
        .await
        .unwrap();
    assert_eq!(count("garden").await, 4);
    create(world.clone(), rake()).await.unwrap();
    assert_eq!((count("garden").await, count("kitchen").await), (4, 5));
    let move_it = UpdateProductRequest { category_id: Some("kitchen".into()), ..edit(1) };
    update(world.clone(), move_it).await.unwrap();
    assert_eq!((count("garden").await, count("kitchen").await), (3, 6));
}
