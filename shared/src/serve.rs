//! The accept loop behind every listening port.
