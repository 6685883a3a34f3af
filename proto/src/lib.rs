//! The gRPC contracts of the services and their events, generated from `proto/proto`: the modules are the packages of
//! those files, whose comments give units, refusals and the idempotency of every method.

/// What all contracts share.
pub mod v1 {
    tonic::include_proto!("ferromart.v1");
}

/// Customers and their tokens.
pub mod user {
    #[expect(clippy::allow_attributes, reason = "generated")]
    pub mod v1 {
        tonic::include_proto!("ferromart.user.v1");
    }
}

/// The catalogue and the stock.
pub mod product {
    #[expect(clippy::allow_attributes, reason = "generated")]
    pub mod v1 {
        tonic::include_proto!("ferromart.product.v1");
    }
}

/// Carts, orders, payment, and the events of orders.
pub mod order {
    #[expect(clippy::allow_attributes, reason = "generated")]
    pub mod v1 {
        tonic::include_proto!("ferromart.order.v1");
    }

    /// The topic that carries [`v1::OrderMoved`].
    pub const TOPIC: &str = "order-events";
}

/// All contracts as an encoded `FileDescriptorSet`: for reflection, and for the table of methods with their idempotency.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
