//! A shop as a process of its own: started, killed, and started again on the same data.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use shared::testing::eventually;

use super::Shop;
use super::place::{Place, overlays};

/// A child process. Dropped, it is killed.
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    pub shop: Shop,
}

/// What the screen says before the address.
const OPEN_AT: &str = "open at";
/// What the log says before the admin port's.
const ADMIN_AT: &str = "\"message\":\"the admin port listens\"";

impl Process {
    /// Starts `binary`, which is a mall, on the data in `folder`, with its services configured so. `more` are arguments.
    ///
    /// # Panics
    /// Where it ends before it is open.
    pub async fn start(binary: &str, folder: &Path, services: Value, more: &[&str]) -> Process {
        Process::run(binary, folder, json!(overlays(services)), more).await
    }

    /// As [`start`](Self::start), without what makes tests fast.
    pub async fn start_as_it_comes(binary: &str, folder: &Path) -> Process {
        Process::run(binary, folder, json!({}), &[]).await
    }

    async fn run(binary: &str, folder: &Path, services: Value, more: &[&str]) -> Process {
        let file = folder.join("mall.yaml");
        let conf = json!({
            "Name": "ferromart", "Mode": "test", "Port": 0, "Data": folder,
            "Prometheus": {"Host": "127.0.0.1", "Port": 0},
            "Log": {"Encoding": "json"},
            "Shutdown": {"Beat": "20ms", "GracePeriod": "10s"},
            "Services": services,
        });
        // JSON is YAML.
        std::fs::write(&file, conf.to_string()).expect("the folder can be written");
        let mut command = Command::new(binary);
        command.arg("-f").arg(&file).args(more).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the binary runs");
        let lines = Arc::<Mutex<Vec<String>>>::default();
        collect(&mut child, lines.clone());
        let mut process = Process { child, lines, shop: Shop::of(String::new(), Place::at(folder)) };
        let base = eventually(Duration::from_secs(30), async || {
            let line = process.lines_with(OPEN_AT).pop();
            if line.is_none()
                && let Some(status) = process.child.try_wait().expect("it is our child")
            {
                panic!("the shop ended with {status}\n{}", process.lines_with("").join("\n"));
            }
            line
        });
        let base = base.await;
        let base = base.split(OPEN_AT).nth(1).unwrap_or_default().trim().to_owned();
        process.shop = Shop::of(base, Place::at(folder));
        process
    }

    /// What it wrote so far, log and screen, that contains `text`.
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| line.contains(text)).cloned().collect()
    }

    /// `host:port` of its admin port.
    pub fn admin_port(&self) -> String {
        let line: Value = self
            .lines_with(ADMIN_AT)
            .pop()
            .and_then(|line| serde_json::from_str(&line).ok())
            .expect("the log names the admin port");
        line["address"].as_str().unwrap_or_default().to_owned()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a child has an id");
        kill_process(pid, signal).expect("it has not been waited for");
    }

    /// `kill -9`, and until it is gone.
    pub async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// Until it has ended, by itself or by a signal.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually(Duration::from_secs(30), async || child.try_wait().expect("it is our child")).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail where it is gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A thread reads what the child writes, until it ends.
fn collect(child: &mut Child, lines: Arc<Mutex<Vec<String>>>) {
    let out = child.stdout.take().expect("it is piped");
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}
