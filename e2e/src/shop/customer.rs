//! What a customer does.

use std::panic::Location;

use reqwest::Method;
use serde_json::{Value, json};
use shared::testing::eventually;

use super::{Answer, Call, Card, SOON, Shop, Watch, fresh};

/// A customer, signed in. Cheap enough to clone.
#[derive(Clone)]
pub struct Customer {
    shop: Shop,
    pub id: String,
    pub email: String,
    pub password: String,
    pub token: String,
    pub refresh_token: String,
}

/// An order as it was answered last.
#[derive(Debug, Clone, PartialEq)]
pub struct Order(pub Value);

impl Order {
    pub fn id(&self) -> &str {
        self.0["id"].as_str().unwrap_or_default()
    }

    pub fn status(&self) -> &str {
        self.0["status"].as_str().unwrap_or_default()
    }

    /// The states it went through, the first one first.
    pub fn history(&self) -> Vec<&str> {
        self.0["history"].as_array().into_iter().flatten().filter_map(|one| one["to"].as_str()).collect()
    }
}

pub fn address() -> Value {
    json!({"name": "Anna Lind", "line1": "Lange Gasse 1", "city": "Wien", "postal_code": "1080", "country": "AT"})
}

fn items(lines: &[(&str, i64)]) -> Value {
    lines.iter().map(|(id, quantity)| json!({"product_id": id, "quantity": quantity})).collect()
}

impl Customer {
    #[track_caller]
    pub(super) fn register(shop: Shop) -> impl Future<Output = Customer> {
        let (email, password) = (format!("{}@example.com", fresh("anna")), fresh("password"));
        let body = json!({"email": email, "password": password, "name": "Anna Lind"});
        let (register, place) =
            (shop.call(Method::POST, "/v1/users/register").json(&body), Location::caller());
        async move {
            let id = at(place, register.await, 201)["id"].as_str().unwrap_or_default().to_owned();
            Customer { id, ..Customer::login(shop, &email, &password).await }
        }
    }

    #[track_caller]
    pub(super) fn login(shop: Shop, email: &str, password: &str) -> impl Future<Output = Customer> + use<> {
        let (email, password) = (email.to_owned(), password.to_owned());
        let body = json!({"email": email, "password": password});
        let (login, place) = (shop.call(Method::POST, "/v1/users/login").json(&body), Location::caller());
        async move {
            let tokens = at(place, login.await, 200);
            let text = |name: &str| tokens[name].as_str().unwrap_or_default().to_owned();
            let (token, refresh_token) = (text("access_token"), text("refresh_token"));
            Customer { shop, id: String::new(), email, password, token, refresh_token }
        }
    }

    /// The same customer once more, of another login.
    #[track_caller]
    pub fn again(&self) -> impl Future<Output = Customer> + use<> {
        let (id, login) = (self.id.clone(), Customer::login(self.shop.clone(), &self.email, &self.password));
        async move { Customer { id, ..login.await } }
    }

    /// Who was a customer there is one here, if it is the same data.
    pub fn at(&self, shop: &Shop) -> Customer {
        Customer { shop: shop.clone(), ..self.clone() }
    }

    /// Asks for the successor of the refresh token, which is kept as it is.
    #[track_caller]
    pub fn refresh(&self) -> Call {
        let body = json!({"refresh_token": self.refresh_token});
        self.shop.call(Method::POST, "/v1/users/refresh").json(&body)
    }

    /// Any request with the customer's token.
    #[track_caller]
    pub fn call(&self, method: Method, path: &str) -> Call {
        self.shop.call(method, path).bearer(&self.token)
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path).json(body)
    }

    #[track_caller]
    pub fn cart(&self) -> Call {
        self.get("/v1/cart")
    }

    #[track_caller]
    pub fn put_in_cart(&self, product: &str, quantity: i64) -> Call {
        let path = format!("/v1/cart/items/{product}");
        self.call(Method::PUT, &path).json(&json!({"quantity": quantity}))
    }

    #[track_caller]
    pub fn take_from_cart(&self, product: &str) -> Call {
        self.call(Method::DELETE, &format!("/v1/cart/items/{product}"))
    }

    /// Asks for an order of these lines, under a fresh key.
    #[track_caller]
    pub fn place(&self, lines: &[(&str, i64)]) -> Call {
        self.place_without_key(lines).once()
    }

    #[track_caller]
    pub fn place_without_key(&self, lines: &[(&str, i64)]) -> Call {
        self.post("/v1/orders", &json!({"items": items(lines), "address": address()}))
    }

    /// Asks for an order of what is in the cart, under a fresh key.
    #[track_caller]
    pub fn place_cart(&self) -> Call {
        self.post("/v1/orders", &json!({"address": address()})).once()
    }

    /// An order of these lines, which is made.
    #[track_caller]
    pub fn order(&self, lines: &[(&str, i64)]) -> impl Future<Output = Order> + use<> {
        let (call, place) = (self.place(lines), Location::caller());
        async move { Order(at(place, call.await, 201)) }
    }

    /// An order of one piece, paid.
    #[track_caller]
    pub fn paid_order(&self, lines: &[(&str, i64)]) -> impl Future<Output = Order> + use<> {
        let (customer, call, place) = (self.clone(), self.place(lines), Location::caller());
        async move {
            let order = Order(at(place, call.await, 201));
            Order(at(place, customer.pay(&order, super::CARD_OK).await, 200))
        }
    }

    /// Asks to pay, under a fresh key.
    #[track_caller]
    pub fn pay(&self, order: &Order, card: Card) -> Call {
        self.post(&format!("/v1/orders/{}/pay", order.id()), &card.body()).once()
    }

    #[track_caller]
    pub fn cancel(&self, order: &Order) -> Call {
        self.post(&format!("/v1/orders/{}/cancel", order.id()), &json!({}))
    }

    /// The order as it is now.
    #[track_caller]
    pub fn look_at(&self, order: &Order) -> impl Future<Output = Order> + use<> {
        let (call, place) = (self.get(&format!("/v1/orders/{}", order.id())), Location::caller());
        async move { Order(at(place, call.await, 200)) }
    }

    /// The order, as soon as it has this status.
    #[track_caller]
    pub fn wait_for(&self, order: &Order, status: &str) -> impl Future<Output = Order> + use<> {
        let (customer, order, status) = (self.clone(), order.clone(), status.to_owned());
        eventually(SOON, async move || {
            Some(customer.look_at(&order).await).filter(|order| order.status() == status)
        })
    }

    /// The order's events from the first one, or from behind the one with the number `after`.
    #[track_caller]
    pub fn watch(&self, order: &Order, after: Option<i64>) -> impl Future<Output = Watch> + use<> {
        let mut call = self.get(&format!("/v1/orders/{}/events", order.id()));
        if let Some(after) = after {
            call = call.header("Last-Event-ID", &after.to_string());
        }
        Watch::open(call)
    }
}

/// The body of a success, asserted where the verb was used.
pub(super) fn at(place: &Location<'_>, answer: Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "at {place}: {}", answer.text);
    answer.body
}
