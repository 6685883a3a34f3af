//! The compiler of .api contracts.

pub mod model;
pub mod names;
