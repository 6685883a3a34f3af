//! Decisions, pure and synchronous: no I/O, no clock but the one in the caller's hand. The concerns that ask them are
//! elsewhere. Times are nanoseconds of [`crate::clock::tick`].

pub mod budget;
pub mod load;
