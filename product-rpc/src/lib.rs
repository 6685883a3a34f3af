//! product-rpc.
