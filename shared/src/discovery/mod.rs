//! Who is alive: registering an address under a key, and watching the addresses of a key.
