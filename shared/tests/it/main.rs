//! What the framework promises, seen from outside.

mod store;
