//! The pipeline of a request: a list of concerns, and one future that runs it.

pub mod ambient;
