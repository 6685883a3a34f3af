//! The code made of `contracts/ping.api`, as it is kept beside it.

include!("contracts/ping.golden");
