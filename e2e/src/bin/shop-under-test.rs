//! The shop in one process, which ends itself at a named point where a test says so. In builds without crash points it
//! refuses to.

use std::process::ExitCode;

use clap::Parser;

#[derive(Debug, Parser)]
struct UnderTest {
    #[command(flatten)]
    shop: mall::Arguments,
    /// Where it ends itself, as `kill -9` would.
    #[arg(long, value_name = "POINT")]
    crash_at: Option<String>,
}

fn main() -> ExitCode {
    let UnderTest { shop, crash_at } = UnderTest::parse();
    match crash_at {
        Some(point) if !shared::crash::arm(&point) => {
            shared::service::refuse("this build has no crash points; they come with the feature of shared")
        }
        _ => mall::run(shop),
    }
}
