//! The whole shop in one process.
