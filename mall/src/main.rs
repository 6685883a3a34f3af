//! The process of the whole shop.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    mall::run(mall::Arguments::parse())
}
