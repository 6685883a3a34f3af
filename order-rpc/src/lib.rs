//! order-rpc.
