//! The compiler of .api contracts.

mod generate;
pub mod model;
pub mod names;

pub use generate::code;
