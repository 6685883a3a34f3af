//! Where things are kept: SQL, key-value, cache.
