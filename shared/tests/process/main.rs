//! A real process from its start to its exit code. This binary is both: asked with `-f FILE` it is a small service, and
//! otherwise it starts itself as a child and looks at it from outside.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test says what went wrong by failing")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use serde::Deserialize;
use shared::config::{Faults, Mode};
use shared::error::BoxError;
use shared::lifecycle::Lifecycle;
use shared::rest::{self, Server, Spec};
use shared::service::Running;
use shared::{serve, service};

/// What the small service does beside its one route.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Config {
    does: Does,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Does {
    Nothing,
    RefusesToStart,
    NeverStarts,
    LosesATask,
    LosesATaskByPanic,
    LosesATaskWhileItStarts,
    FailsToStop,
    NeverStops,
}

impl shared::config::Config for Config {
    type Listen = rest::Conf;

    fn check(&self, _: Mode, _: &mut Faults) {}
}

async fn start(
    listen: rest::Conf,
    config: Config,
    _: Mode,
    lifecycle: &Lifecycle,
) -> Result<Running, BoxError> {
    tracing::info!("starting");
    let listener = serve::bind(&listen.host, listen.port).await?;
    let spec = Spec::new(http::Method::GET, "/slow", "slow");
    let slow = async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "a whole answer"
    };
    let router = Server::new(&listen, lifecycle, None).routes().add(&spec, slow).into_router(());
    let owner = lifecycle.clone();
    match config.does {
        Does::Nothing => {}
        Does::RefusesToStart => return Err("there is no disk".into()),
        Does::NeverStarts => std::future::pending().await,
        Does::LosesATask => lifecycle.spawn("worker", async { Err("the disk is full") }),
        Does::LosesATaskByPanic => {
            lifecycle.spawn("worker", async { panic!("at once") as Result<(), BoxError> });
        }
        Does::LosesATaskWhileItStarts => {
            lifecycle.spawn("worker", async { Err("the disk is full") });
            std::future::pending().await
        }
        Does::FailsToStop => lifecycle.spawn("worker", async move {
            owner.stopping().await;
            Err("the last lines are not written")
        }),
        Does::NeverStops => lifecycle.spawn("worker", std::future::pending::<Result<(), BoxError>>()),
    }
    let address = rest::start(listener, router, &listen, lifecycle)?;
    Ok(Running { name: lifecycle.name(), address })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == "-f") {
        return service::main("", start);
    }
    let tests: [(&str, fn()); 10] = [
        ("a_signal_ends_it_well", a_signal_ends_it_well),
        ("what_was_accepted_is_answered", what_was_accepted_is_answered),
        ("a_taken_port_is_one_sentence", a_taken_port_is_one_sentence),
        ("a_task_that_dies_ends_it_badly", a_task_that_dies_ends_it_badly),
        ("a_task_that_fails_on_its_way_out_ends_it_badly", a_task_that_fails_on_its_way_out_ends_it_badly),
        ("a_start_that_fails_says_why", a_start_that_fails_says_why),
        ("a_start_can_be_called_off", a_start_can_be_called_off),
        ("a_second_signal_ends_it_at_once", a_second_signal_ends_it_at_once),
        ("a_wrong_configuration_is_told_whole", a_wrong_configuration_is_told_whole),
        ("it_may_open_as_many_files_as_the_system_permits", it_may_open_as_many_files_as_the_system_permits),
    ];
    let wanted = |name: &str| {
        let mut filters = arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
        filters.peek().is_none() || filters.any(|filter| name.contains(filter.as_str()))
    };
    let tests: Vec<_> = tests.into_iter().filter(|(name, _)| wanted(name)).collect();
    for (name, test) in &tests {
        // A panic ends this process with a code of its own.
        test();
        println!("test {name} ... ok");
    }
    println!("\ntest result: ok. {} passed; 0 failed", tests.len());
    ExitCode::SUCCESS
}

fn a_signal_ends_it_well() {
    for signal in ["TERM", "INT"] {
        let mut process = Process::start("nothing");
        process.listens();
        process.signal(signal);
        let ended = process.end();
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{signal}");
        assert!(ended.log.contains("\"message\":\"stopped\""), "{}", ended.log);
    }
}

fn what_was_accepted_is_answered() {
    let mut process = Process::start("nothing");
    let mut stream = TcpStream::connect(process.listens()).unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: it\r\n\r\n").unwrap();
    // It is accepted when a second request, sent after it, has an answer.
    let mut second = TcpStream::connect(process.listens()).unwrap();
    second.write_all(b"GET / HTTP/1.1\r\nhost: it\r\nconnection: close\r\n\r\n").unwrap();
    second.read_to_end(&mut Vec::new()).unwrap();
    process.signal("TERM");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("a whole answer"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(process.end().code, Some(0));
}

fn it_may_open_as_many_files_as_the_system_permits() {
    let mut process = Process::start("nothing");
    process.listens();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.child.id())).unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let [soft, hard] = files.split_whitespace().take(2).collect::<Vec<_>>()[..] else { panic!("{files}") };
    assert_eq!(soft, hard);
    process.signal("TERM");
    assert_eq!(process.end().code, Some(0));
}

fn a_taken_port_is_one_sentence() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    for (port, admin) in [(port, 0), (0, port)] {
        let ended = Process::with(&configuration("nothing", port, admin)).end();
        let taken = port.max(admin);
        let sentence = format!(
            "port {taken} of 127.0.0.1 is taken by another program; stop it, or choose another port\n"
        );
        assert_eq!((ended.code, ended.errors), (Some(1), sentence));
    }
}

fn a_task_that_dies_ends_it_badly() {
    for (does, cause) in [
        ("loses_a_task", "the disk is full"),
        ("loses_a_task_by_panic", "it panicked: at once"),
        ("loses_a_task_while_it_starts", "the disk is full"),
    ] {
        let ended = Process::start(does).end();
        let sentence = format!("task worker of probe ended unexpectedly: {cause}\n");
        assert_eq!(ended.code, Some(1), "{does}");
        // A panic outside of a request is told by Rust itself as well.
        assert!(ended.errors.ends_with(&sentence), "{does}: {}", ended.errors);
        assert!(ended.log.contains("\"message\":\"stopped\""), "it stops as well as it can: {}", ended.log);
    }
}

fn a_task_that_fails_on_its_way_out_ends_it_badly() {
    let mut process = Process::start("fails_to_stop");
    process.listens();
    process.signal("TERM");
    let ended = process.end();
    let sentence = "task worker of probe ended unexpectedly: the last lines are not written\n";
    assert_eq!((ended.code, ended.errors.as_str()), (Some(1), sentence));
}

fn a_start_that_fails_says_why() {
    let ended = Process::start("refuses_to_start").end();
    assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "there is no disk\n"));
}

fn a_start_can_be_called_off() {
    let mut process = Process::start("never_starts");
    process.logs("starting");
    process.signal("TERM");
    assert_eq!(process.end().code, Some(0));
}

fn a_second_signal_ends_it_at_once() {
    let mut process = Process::start("never_stops");
    process.listens();
    process.signal("TERM");
    process.logs("stopping");
    process.signal("TERM");
    let ended = process.end();
    let sentence = "a second signal came before all was stopped\n";
    assert_eq!((ended.code, ended.errors.as_str()), (Some(1), sentence));
    assert!(!ended.log.contains("the grace period is over"), "{}", ended.log);
}

fn a_wrong_configuration_is_told_whole() {
    let text = configuration("something", 0, 0).replace("Beat", "Beet");
    let ended = Process::with(&text).end();
    assert_eq!(ended.code, Some(1));
    for fault in ["Does: unknown variant `something`", "Shutdown.Beet: unknown key; did you mean `Beat`?"] {
        assert!(ended.errors.contains(fault), "{}", ended.errors);
    }
}

fn configuration(does: &str, port: u16, admin: u16) -> String {
    format!(
        "Name: probe\nMode: test\nHost: 127.0.0.1\nPort: {port}\nDoes: {does}\n\
         Prometheus: {{Host: 127.0.0.1, Port: {admin}}}\nShutdown: {{Beat: 20ms, GracePeriod: 30s}}\n"
    )
}

struct Process {
    child: Child,
    log: BufReader<std::process::ChildStdout>,
    read: String,
    _folder: tempfile::TempDir,
}

struct Ended {
    code: Option<i32>,
    log: String,
    errors: String,
}

impl Process {
    fn start(does: &str) -> Process {
        Process::with(&configuration(does, 0, 0))
    }

    fn with(configuration: &str) -> Process {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("probe.yaml");
        std::fs::write(&file, configuration).unwrap();
        // As shells have it, and less.
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -S -n 64; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
        command.arg("-f").arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stdout.take().unwrap());
        Process { child, log, read: String::new(), _folder: folder }
    }

    /// Where it listens, once it does.
    fn listens(&mut self) -> String {
        let line: serde_json::Value = serde_json::from_str(&self.logs("listening")).unwrap();
        line["address"].as_str().unwrap().to_owned()
    }

    /// The line of the log with this message. Waits for it; fails where the process ends without.
    fn logs(&mut self, message: &str) -> String {
        let mark = format!("\"message\":\"{message}\"");
        loop {
            if let Some(line) = self.read.lines().find(|line| line.contains(&mark)) {
                return line.to_owned();
            }
            let count = self.log.read_line(&mut self.read).unwrap();
            assert!(count > 0, "it ended without {message}: {}", self.read);
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    fn end(mut self) -> Ended {
        let mut errors = String::new();
        self.log.read_to_string(&mut self.read).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        Ended { code: self.child.wait().unwrap().code(), log: std::mem::take(&mut self.read), errors }
    }
}
