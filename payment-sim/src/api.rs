//! What `payment.api` says: its types, a handler a route, and the routes; `apigen show code payment-sim/payment.api` prints it.

include!(concat!(env!("OUT_DIR"), "/payment_sim.rs"));
