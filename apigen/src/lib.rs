//! The compiler of .api contracts.
