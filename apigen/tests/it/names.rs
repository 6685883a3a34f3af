//! The code made of `contracts/names.api`, as it is kept beside it.

include!("contracts/names.golden");
