//! Every route, status and code of the contract, reached: a test for each group of routes makes a shop give all the
//! answers that the group's routes promise. What is promised is read from the contract when the test runs, so that a new
//! route, or a new answer, fails until something here reaches it.

mod admin;
mod cart;
mod catalogue;
mod order;
mod unmatched;
mod user;

use std::collections::BTreeSet;
use std::path::Path;

use apigen::model::{Contract, Route, Source};
use e2e::shop::{Customer, Shop};
use reqwest::Method;
use serde_json::json;

/// The groups that have a test here.
const GROUPS: [&str; 5] = ["admin", "cart", "catalogue", "order", "user"];

pub(crate) fn contract() -> Contract {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../order-api/order.api");
    apigen::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_group_of_routes_has_a_test() {
    let contract = contract();
    let groups: BTreeSet<&str> = contract.routes.iter().map(|route| route.group.as_str()).collect();
    assert_eq!(groups, BTreeSet::from(GROUPS));
}

/// A shop that was open before, when it gave out a token that is too old now; and a customer with that token.
pub(crate) async fn shop_with_an_old_token() -> Option<(Shop, Customer)> {
    let strict = json!({"Auth": {"Leeway": "0s"}});
    let short = json!({"Token": {"AccessTtl": "1ms", "RefreshTtl": "2ms"}});
    let shop = Shop::configured(json!({"order-api": strict, "user-rpc": short})).await?;
    let customer = shop.register().await;
    shop.stop().await;
    let shop = shop.again(json!({"order-api": strict})).await;
    let customer = customer.at(&shop);
    Some((shop, customer))
}

/// What the routes of a group refuse in the same way, by what the contract says of each.
pub(crate) async fn usual_refusals(shop: &Shop, group: &str, old: &Customer) {
    let (anna, admin) = (shop.register().await, shop.admin().await);
    for route in contract().routes.iter().filter(|route| route.group == group) {
        let who = if is_for_admins(route) { admin.caller() } else { &anna };
        signed_out(shop, route, old).await;
        if is_for_admins(route) {
            let problem = call(&anna, route).json(&json!({})).await.refused(403, "forbidden");
            assert!(!problem["detail"].as_str().unwrap().contains(&anna.id));
        }
        let promises = |status: u16| route.answers.iter().any(|answers| answers.status == status);
        if promises(413) {
            let most = usize::try_from(route.max_bytes.unwrap()).unwrap();
            let body = format!("\"{}\"", "x".repeat(most - 1));
            call(who, route).body("application/json", body).await.refused(413, "too_large");
        }
        if promises(415) {
            call(who, route).body("text/plain", "{}").await.refused(415, "unsupported_media_type");
            call(who, route).body("application/json", "{").await.refused(400, "invalid_argument");
            call(who, route).json(&json!({"surprise": true})).await.invalid("/surprise");
        }
        if has(route, Source::Form) {
            call(who, route).query("page_size", "101").await.invalid("/page_size");
            call(who, route).query("page_size", "many").await.invalid("/page_size");
            call(who, route).query("page_token", "made up").await.refused(400, "invalid_argument");
        }
    }
}

async fn signed_out(shop: &Shop, route: &Route, old: &Customer) {
    if !route.jwt {
        return;
    }
    let (method, path) = (method(route), path(route));
    shop.call(method.clone(), &path).await.refused(401, "unauthenticated");
    for bad in ["x", "a.b.c", &old.refresh_token] {
        shop.call(method.clone(), &path).bearer(bad).await.refused(401, "unauthenticated");
    }
    call(old, route).await.refused(401, "token_expired");
}

pub(crate) fn call(who: &Customer, route: &Route) -> e2e::shop::Call {
    who.call(method(route), &path(route))
}

fn method(route: &Route) -> Method {
    route.method.parse().unwrap()
}

/// With something that exists nowhere in the place of every parameter.
fn path(route: &Route) -> String {
    let part = |part: &str| if part.starts_with('{') { "nowhere".to_owned() } else { part.to_owned() };
    route.pattern.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn has(route: &Route, source: Source) -> bool {
    let contract = contract();
    let request = contract.structs.iter().find(|one| Some(&one.name) == route.request.as_ref());
    request.is_some_and(|request| request.fields.iter().any(|field| field.source == source))
}

fn is_for_admins(route: &Route) -> bool {
    route.middleware.iter().any(|name| name == "AdminOnly")
}
