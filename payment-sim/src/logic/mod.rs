//! The use cases of payment-sim, by the groups of its contract.

pub(crate) mod charge;
