//! The shop in one process as its operator sees it: what it prints, what it refuses to start with, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
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
    let (printed, _out) = opened(&mut first);
    let mode = std::fs::metadata(&data).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "for its user alone");
    refused(&mall(&arguments).output().unwrap(), "is the data of a shop that is running");
    // Even where the ports are taken too, as those of the first are: that the shop runs explains both.
    let port = |before: &str, after: char| -> u16 {
        printed.split(before).nth(1).unwrap().split(after).next().unwrap().trim().parse().unwrap()
    };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = port("open at    http://127.0.0.1:", '\n');
    let same = configuration(folder.path(), gateway, taken.local_addr().unwrap().port(), "");
    let again = ["-f", &same, "--data", data.to_str().unwrap()];
    refused(&mall(&again).output().unwrap(), "is the data of a shop that is running");
    configuration(folder.path(), 0, 0, "");
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
        (
            "Services:\n  order-rpc:\n    Port: 5\n",
            "Services.order-rpc.Port: a service of the shop listens on any free port",
        ),
        (
            "Services:\n  order-api:\n    Port: 5\n",
            "Services.order-api.Port: one process has one Port; write it outside Services",
        ),
        (
            "Services:\n  order-rpc:\n    Shutdown: {}\n",
            "Services.order-rpc.Shutdown: one process has one Shutdown; write it outside Services",
        ),
        (
            "Services:\n  order-rpc:\n    DataSource:\n      Url: sqlite://x.db\n",
            "Services.order-rpc.DataSource.Url: the databases are in the shop's folder",
        ),
        ("Services:\n  order-rpc: 5\n", "Services.order-rpc: takes keys of that service's own configuration"),
        (
            "Services:\n  user-rpc:\n    Tokn: {}\n  order-rpc:\n    Ordr: {}\n",
            "  Services.user-rpc.Tokn: unknown key; did you mean `Token`?\n  Services.order-rpc.Ordr: unknown key",
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

/// All that counts for a file with this text.
fn loaded(text: &str) -> Loaded<mall::config::Config> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    mall::config::load(Some(file.path())).unwrap()
}

#[test]
fn what_a_file_leaves_out_is_as_in_the_configuration_that_comes_with_it() {
    let whole = |loaded: Loaded<mall::config::Config>| {
        format!("{:?} {:?} {:?}", loaded.service, loaded.listen, loaded.own)
    };
    let default = whole(mall::config::load(None).unwrap());
    for text in ["", "# Nothing.\n", "Prometheus:\n", "Services:\n", "Port: 8888\n"] {
        assert_eq!(whole(loaded(text)), default, "{text:?}");
    }
    let Loaded { service, listen, .. } = loaded("Prometheus:\n  Port: 1\nPort: 2\n");
    assert_eq!((listen.host.as_str(), listen.port), ("127.0.0.1", 2));
    assert_eq!((service.prometheus.host.as_str(), service.prometheus.port), ("127.0.0.1", 1));
}

#[test]
fn its_data_may_be_in_a_folder_of_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = configuration(folder.path(), 0, 0, "Services:\n  user-rpc:\n");
    let data = folder.path().join("a b%20?x#y:é");
    let mut child = mall(&["-f", &file, "--data", data.to_str().unwrap()]).spawn().unwrap();
    let (_, _out) = opened(&mut child);
    terminate(&child);
    assert!(child.wait().unwrap().success());
    for name in ["lock", "signing-key.pem", "user.db", "product.db", "order.db", "payment.db"] {
        assert!(data.join(name).exists(), "{name}");
    }
    let beside: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(beside.len(), 2, "{beside:?}");
}

#[test]
fn a_service_reads_what_the_environment_says_in_its_overlay() {
    let folder = tempfile::tempdir().unwrap();
    let batch = "Services:\n  order-rpc:\n    Order:\n      Sweep:\n        Batch: ${BATCH}\n";
    let file = configuration(folder.path(), 0, 0, batch);
    let mut child = mall(&["-f", &file, "--ephemeral"]).env("BATCH", "7").spawn().unwrap();
    let (_, _out) = opened(&mut child);
    terminate(&child);
    assert!(child.wait().unwrap().success());
    let output = mall(&["-f", &file, "--ephemeral"]).env("BATCH", "many").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("Services.order-rpc.Order.Sweep.Batch: invalid type: string \"many\""), "{text}");
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = configuration(folder.path(), 0, 0, "");
    let database = folder.path().join("order.db");
    std::fs::write(&database, "no database at all, but longer than its first header is. ".repeat(99))
        .unwrap();
    let output = mall(&["-f", &file, "--data", folder.path().to_str().unwrap()]).output().unwrap();
    let sentence =
        format!("{} is no SQLite database; move it away, or name another file", database.display());
    refused(&output, &sentence);
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(!log.contains("ERROR"), "{log}");
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
