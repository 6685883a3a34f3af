//! What `order.api` says: its types, a handler a route, and the routes; `cargo run -p apigen -- show code order-api/order.api` prints it.

include!(concat!(env!("OUT_DIR"), "/order_api.rs"));
