//! The shop in one process as its operator sees it: what it prints, what it refuses to start with, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use shared::config::{self, Loaded, Mode};

/// A configuration with free ports but for those that a test names.
fn configuration(folder: &Path, gateway: u16, admin: u16, more: &str) -> String {
    let file = folder.join("mall.yaml");
    let text = format!(
        "Name: test\nMode: test\nPort: {gateway}\nPrometheus:\n  Host: 127.0.0.1\n  Port: {admin}\n\
         Shutdown:\n  Beat: 10ms\n{more}"
    );
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

fn mall(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mall"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn refused(output: &Output, sentence: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(sentence), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "one sentence: {text}");
}

/// Until the shop is open; what it printed so far.
fn opened(child: &mut Child) -> (String, BufReader<ChildStdout>) {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    while !printed.contains("Ctrl-C stops it") {
        if out.read_line(&mut printed).unwrap() == 0 {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("it ended: {printed}{error}");
        }
    }
    (printed, out)
}

fn terminate(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
}

#[test]
fn a_port_that_is_taken_is_one_sentence_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let data = folder.path().join("data");
    for (gateway, admin) in [(port, 0), (0, port)] {
        let file = configuration(folder.path(), gateway, admin, "");
        let output = mall(&["-f", &file, "--data", data.to_str().unwrap()]).output().unwrap();
        let sentence =
            format!("port {port} of 127.0.0.1 is taken by another program; stop it, or choose another port");
        refused(&output, &sentence);
        assert!(!data.exists());
    }
}

#[test]
fn two_shops_do_not_share_their_data() {
    let folder = tempfile::tempdir().unwrap();
    let file = configuration(folder.path(), 0, 0, "");
    let data = folder.path().join("data");
    let arguments = ["-f", &file, "--data", data.to_str().unwrap()];
    let mut first = mall(&arguments).spawn().unwrap();
    let (_, _out) = opened(&mut first);
    refused(&mall(&arguments).output().unwrap(), "is the data of a shop that is running");
    // A kill takes the lock away as well.
    first.kill().unwrap();
    first.wait().unwrap();
    let mut second = mall(&arguments).spawn().unwrap();
    let (_, _out) = opened(&mut second);
    terminate(&second);
    assert!(second.wait().unwrap().success());
}

#[test]
fn it_says_where_to_go_and_leaves_nothing_of_what_is_ephemeral() {
    let folder = tempfile::tempdir().unwrap();
    let file = configuration(folder.path(), 0, 0, "");
    let mut child = mall(&["-f", &file, "--ephemeral"]).env("TMPDIR", folder.path()).spawn().unwrap();
    let (printed, mut out) = opened(&mut child);
    for wanted in ["The shop is open at    http://127.0.0.1:", "demo@example.com", "curl http://127.0.0.1:"] {
        assert!(printed.contains(wanted), "{printed}");
    }
    let made = || {
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("ferromart-")).count()
    };
    assert_eq!(made(), 1);
    terminate(&child);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert_eq!(made(), 0);
}

#[test]
fn a_configuration_that_is_wrong_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    for (more, fault) in [
        (
            "Services:\n  stock-rpc: {}\n",
            "Services.stock-rpc: no such service; there are payment-sim, user-rpc",
        ),
        ("Services:\n  order-rpc:\n    Ordr: {}\n", "Ordr: unknown key; did you mean `Order`?"),
        ("Dta: x\n", "Dta: unknown key; did you mean `Data`?"),
    ] {
        let file = configuration(folder.path(), 0, 0, more);
        let data = folder.path().join("data");
        let output = mall(&["-f", &file, "--data", data.to_str().unwrap()]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(fault), "{text}");
        assert!(!data.exists());
    }
}

#[test]
fn the_configuration_that_comes_with_it_has_the_defaults() {
    let text = include_str!("../../etc/mall.yaml");
    let Loaded { service, listen, own } =
        config::parse::<mall::config::Config>("mall.yaml", text, &|_| None).unwrap();
    assert_eq!((service.name.as_str(), service.mode), ("ferromart", Mode::Dev));
    assert_eq!((listen.port, service.prometheus.port), (8888, 9101));
    assert_eq!((own.data.as_path(), own.ephemeral), (Path::new("data"), false));
}
