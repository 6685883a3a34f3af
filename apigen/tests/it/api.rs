//! The code made of `contracts/tours.api`, as it is kept beside it.

include!("contracts/tours.golden");
