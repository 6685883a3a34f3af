//! What `order.api` says: its types, a handler a route, and the routes. To read it:
//! `cargo run -p apigen -- show code order-api/order.api`.

include!(concat!(env!("OUT_DIR"), "/order_api.rs"));
