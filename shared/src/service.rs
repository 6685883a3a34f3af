//! What every `main` does.
