//! What proves the whole shop: the audit of its books, and a harness that drives it as its customers do.

pub mod audit;
pub mod shop;
