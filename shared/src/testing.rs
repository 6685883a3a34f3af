//! What the tests of other crates use.
