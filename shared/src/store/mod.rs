//! Where things are kept: SQL, key-value, and what both need.

pub mod cache;
pub mod idempotency;
pub mod kv;
pub mod page;
pub mod sql;
