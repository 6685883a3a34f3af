//! Outbound HTTP through the client pipeline.
