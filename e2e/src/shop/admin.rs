//! What an administrator does.

use std::panic::Location;

use reqwest::Method;
use serde_json::{Value, json};
use shared::config;

use super::customer::at;
use super::{Call, Customer, Order, Shop, fresh};

/// The administrator, signed in.
#[derive(Clone)]
pub struct Admin(Customer);

impl Admin {
    #[track_caller]
    pub(super) fn login(shop: Shop) -> impl Future<Output = Admin> {
        let password = config::environment("ADMIN_PASSWORD");
        let password = password.unwrap_or_else(|| "admin-development-only".to_owned());
        let login = Customer::login(shop, "admin@example.com", &password);
        async move { Admin(login.await) }
    }

    /// As somebody who is signed in.
    pub fn caller(&self) -> &Customer {
        &self.0
    }

    #[track_caller]
    pub fn call(&self, method: Method, path: &str) -> Call {
        self.0.call(method, path)
    }

    /// Asks for a new product.
    #[track_caller]
    pub fn create(&self, product: &Value) -> Call {
        self.0.post("/v1/admin/products", product)
    }

    /// A new product of which so many are there, at 19.99 each; its id.
    #[track_caller]
    pub fn stock_up(&self, on_hand: i64) -> impl Future<Output = String> + use<> {
        let (product, place) = (product(on_hand), Location::caller());
        let create = self.create(&product);
        async move { at(place, create.await, 201)["id"].as_str().unwrap_or_default().to_owned() }
    }

    /// `version` is what `If-Match` says.
    #[track_caller]
    pub fn edit(&self, product: &str, version: i64, change: &Value) -> Call {
        let call = self.call(Method::PATCH, &format!("/v1/admin/products/{product}")).json(change);
        call.header("If-Match", &format!("\"{version}\""))
    }

    #[track_caller]
    pub fn stock_of(&self, product: &str) -> Call {
        self.0.get(&format!("/v1/admin/products/{product}/stock"))
    }

    /// Asks to adjust the stock, under a fresh key.
    #[track_caller]
    pub fn adjust(&self, product: &str, delta: i64) -> Call {
        let body = json!({"delta": delta, "reason": "counted"});
        self.0.post(&format!("/v1/admin/products/{product}/stock"), &body).once()
    }

    #[track_caller]
    pub fn ship(&self, order: &Order) -> Call {
        self.act(order, "ship")
    }

    #[track_caller]
    pub fn deliver(&self, order: &Order) -> Call {
        self.act(order, "deliver")
    }

    #[track_caller]
    pub fn refund(&self, order: &Order) -> Call {
        self.act(order, "refund")
    }

    #[track_caller]
    fn act(&self, order: &Order, what: &str) -> Call {
        self.0.post(&format!("/v1/admin/orders/{}/{what}", order.id()), &json!({}))
    }
}

/// A product that nobody has made yet.
pub fn product(on_hand: i64) -> Value {
    json!({
        "id": fresh("thing"),
        "name": "A thing",
        "description": "Made for a test.",
        "category_id": "workshop",
        "price": {"amount": 1999, "currency": "EUR"},
        "on_hand": on_hand,
    })
}
