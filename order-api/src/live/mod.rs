//! How orders go on, as their customers see it live: the hub hears the events of all orders once for the whole process,
//! a watcher is one customer's stream of one order. Nothing is kept: what was missed is in the order's history.

mod hub;
pub(crate) mod watch;

pub(crate) use hub::Hub;
