//! user-rpc.
