//! The gateway as its clients see it: on a real socket, with the services behind it faked by their generated traits.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod admin;
mod answer;
mod auth;
mod cart;
mod catalogue;
mod configuration;
mod fake;
mod orders;
mod pictures;
mod problems;
mod samples;
mod stream;
mod token;
mod users;
mod watching;
mod world;
