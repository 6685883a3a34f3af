//! Measures how long it takes from the start of the built shop to the first order that is paid, and how much memory the
//! shop has then.

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use e2e::shop::Process;
use tokio::time::Instant;

/// Starts a shop on a folder of its own, and orders.
#[derive(Debug, Parser)]
struct Arguments {
    /// The shop; the one beside this program where it is left out.
    #[arg(long, value_name = "FILE")]
    mall: Option<PathBuf>,
    /// How often.
    #[arg(long, default_value_t = 5)]
    times: u32,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "its output is what it is for")]
async fn main() -> anyhow::Result<()> {
    let Arguments { mall, times } = Arguments::parse();
    let mall = match mall {
        Some(mall) => mall,
        None => std::env::current_exe()?.with_file_name("mall"),
    };
    let shown = mall.display().to_string();
    anyhow::ensure!(mall.exists(), "{shown} is not built: cargo build --release -p mall");
    println!("  open ms  paid ms  memory MiB");
    for _ in 0..times {
        let folder = tempfile::tempdir()?;
        let start = Instant::now();
        // As it comes: commits wait for the disk.
        let process = Process::start_as_it_comes(&shown, folder.path()).await;
        let open = start.elapsed();
        let anna = process.shop.register().await;
        anna.paid_order(&[("claw-hammer", 1)]).await;
        let paid = start.elapsed();
        let memory = memory_kib(process.id())? / 1024;
        println!("{:9} {:8} {memory:11}", open.as_millis(), paid.as_millis());
        process.shop.audit().await;
        process.kill().await;
    }
    Ok(())
}

/// What of the process is in memory now.
fn memory_kib(id: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
