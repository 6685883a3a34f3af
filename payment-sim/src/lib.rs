//! A payment provider that moves no money.
