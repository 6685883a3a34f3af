//! The audit as a command: reads a shop's data, running or not, and ends with 1 where an invariant is broken.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use e2e::audit::{self, Sources};
use shared::config::duration;

/// Recomputes stock, reservations, orders, payments and events of a shop across its services.
#[derive(Debug, Parser)]
struct Arguments {
    /// The shop's folder of data.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Wait up to so long for what is on its way; with 0s it is left out of the audit.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration::parse)]
    settle: Duration,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "its output is what it is for")]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { data, settle } = Arguments::parse();
    let report = audit::settled(&Sources::in_folder(&data), settle).await?;
    println!("{report}");
    let fails = !report.broken.is_empty() || (!settle.is_zero() && !report.unsettled.is_empty());
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
