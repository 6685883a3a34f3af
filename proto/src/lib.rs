//! The gRPC contracts and the events.
