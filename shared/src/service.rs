//! What every `main` does: configuration, telemetry, admin port, signals, the service itself, and a clean end.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, Config, Loaded, Mode, Service};
use crate::error::{BoxError, chain};
use crate::lifecycle::{Lifecycle, Shutdown};
use crate::telemetry::{self, admin};

/// A service that was started: where it listens. It ends with its lifecycle.
#[derive(Debug, Clone)]
pub struct Running {
    pub name: &'static str,
    pub address: SocketAddr,
}

/// Runs one service as a process of its own: `start` is its one door. The arguments are `-f FILE`.
pub fn main<C, S>(default_file: &str, start: S) -> ExitCode
where
    C: Config,
    S: AsyncFnOnce(C::Listen, C, Mode, &Lifecycle) -> Result<Running, BoxError>,
{
    let file = match file(default_file, std::env::args().skip(1)) {
        Ok(file) => file,
        Err(usage) => return refuse(&usage),
    };
    match config::load::<C>(&file) {
        Ok(Loaded { service, listen, own }) => run(&service, async |lifecycle: &Lifecycle| {
            let child = lifecycle.child(&service.name);
            let running = start(listen, own, service.mode, &child).await?;
            child.started();
            tracing::info!(address = %running.address, "listening");
            Ok(())
        }),
        Err(error) => refuse(&chain(&error)),
    }
}

/// Runs whatever `start` starts under one process lifecycle, until a signal comes or a task dies. The exit code is 0
/// after a signal and a clean stop; a task that fails on its way out, or a second signal, makes it another.
pub fn run(service: &Service, start: impl AsyncFnOnce(&Lifecycle) -> Result<(), BoxError>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("no threads: {error}")),
    };
    // Dropped last: what the stop logs is written.
    let writer = match telemetry::start(&service.name, &service.log, &service.telemetry) {
        Ok(writer) => writer,
        Err(error) => return refuse(&format!("the log cannot be written: {error}")),
    };
    allow_many_files();
    let ended = runtime.block_on(live(service, start));
    runtime.shutdown_background();
    drop(writer);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&chain(&*error)),
    }
}

/// Every connection is an open file, and a shell allows a process 1024 of them by habit: as many as the system permits,
/// then. Where that is little, the accept loops wait.
fn allow_many_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current < maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, allowed = current, "no more files may be opened at once than are allowed now");
    }
}

async fn live(
    service: &Service,
    start: impl AsyncFnOnce(&Lifecycle) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut signalled = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let process = Lifecycle::new(&service.name, &service.shutdown);
    // The admin port outlives the services, so that it can say that they are leaving.
    let admin_port =
        Lifecycle::new(&service.name, &Shutdown { beat: Duration::ZERO, ..service.shutdown.clone() });
    let address = admin::start(&service.prometheus, &process, &admin_port).await?;
    tracing::info!(%address, "the admin port listens");
    let ended = tokio::select! {
        ended = started(start(&process), &process) => ended,
        died = process.died() => Err(died.into()),
        died = admin_port.died() => Err(died.into()),
        () = signalled() => Ok(()),
    };
    tracing::info!("stopping");
    let stop = async {
        process.stop().await;
        admin_port.stop().await;
    };
    tokio::select! {
        () = stop => {}
        () = signalled() => {
            tracing::warn!("a second signal: ending at once");
            return ended.and(Err("a second signal came before all was stopped".into()));
        }
    }
    tracing::info!("stopped");
    let fault = process.fault().or_else(|| admin_port.fault());
    ended.and(fault.map_or(Ok(()), |died| Err(died.into())))
}

/// Starts, and lives; ends where the start fails.
async fn started(
    start: impl Future<Output = Result<(), BoxError>>,
    process: &Lifecycle,
) -> Result<(), BoxError> {
    start.await?;
    process.started();
    std::future::pending().await
}

fn file(default: &str, mut arguments: impl Iterator<Item = String>) -> Result<PathBuf, String> {
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, None, None) => Ok(PathBuf::from(default)),
        (Some("-f"), Some(file), None) => Ok(PathBuf::from(file)),
        _ => Err(format!("usage: [-f FILE], the configuration; {default} where it is left out")),
    }
}

/// Ends a process that cannot run, with one sentence on its error output.
#[expect(clippy::print_stderr, reason = "the log may not have started, and a person reads this")]
pub fn refuse(reason: &str) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_a_file_or_nothing() {
        let file = |words: &[&str]| file("etc/x.yaml", words.iter().map(|word| (*word).to_owned()));
        assert_eq!(file(&[]), Ok(PathBuf::from("etc/x.yaml")));
        assert_eq!(file(&["-f", "y.yaml"]), Ok(PathBuf::from("y.yaml")));
        assert!(file(&["-f"]).is_err() && file(&["y.yaml"]).is_err() && file(&["-f", "y", "z"]).is_err());
    }
}
