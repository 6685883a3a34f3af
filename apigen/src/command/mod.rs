//! What the command can do, a file each.

mod check;
mod format;
mod show;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use apigen::Diagnostics;
use clap::{Parser, Subcommand};

/// The compiler of .api contracts.
#[derive(Parser)]
#[command(name = "apigen", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Says all that is wrong with contracts, each with what it imports.
    Check {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Brings contracts into their one form.
    Format {
        /// Changes nothing; fails, and names the files that would change.
        #[arg(long)]
        check: bool,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Prints what a contract means.
    Show {
        #[command(subcommand)]
        what: show::What,
    },
}

pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        Command::Check { files } => check::run(&files),
        Command::Format { check: true, files } => format::check(&files),
        Command::Format { check: false, files } => format::write(&files),
        Command::Show { what } => show::run(&what),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever read our output has seen enough.
        Err(error) if is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("apigen: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Shows what is wrong, where people look for it.
fn tell(diagnostics: &Diagnostics) {
    let text = if io::stderr().is_terminal() { diagnostics.coloured() } else { diagnostics.to_string() };
    complain(&text);
}

fn complain(text: &str) {
    // If nobody listens, the exit code still says it.
    drop(writeln!(io::stderr(), "{text}"));
}

fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
