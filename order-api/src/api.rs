//! What `order.api` says: its types, a handler a route, and the routes; `apigen show order-api/order.api` prints it.

include!(concat!(env!("OUT_DIR"), "/order_api.rs"));
