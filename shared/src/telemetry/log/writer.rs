//! The way of lines out of the process: a bounded buffer, and a thread that empties it. A request never waits for a
//! disk or a terminal; what does not fit is dropped, counted, and reported.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::super::{Log, LogMode, metrics};

use super::line;

const BUFFER_BYTES: usize = 4 << 20;
const CAPTURED_LINES: usize = 200_000;

/// Where lines go. Lives as long as the process.
pub(super) struct Sink {
    pending: Mutex<Pending>,
    wake: Condvar,
    captured: Option<Mutex<VecDeque<String>>>,
}

struct Pending {
    bytes: Vec<u8>,
    dropped: u64,
    closed: bool,
}

impl Pending {
    fn new() -> Pending {
        Pending { bytes: buffer(), dropped: 0, closed: false }
    }
}

/// Never grown, so that no request pays for a burst. Pages that are not written take no memory.
fn buffer() -> Vec<u8> {
    Vec::with_capacity(BUFFER_BYTES)
}

impl Sink {
    fn leaked(captured: Option<Mutex<VecDeque<String>>>) -> &'static Sink {
        Box::leak(Box::new(Sink { pending: Mutex::new(Pending::new()), wake: Condvar::new(), captured }))
    }

    pub(super) fn capturing() -> &'static Sink {
        Sink::leaked(Some(Mutex::default()))
    }

    pub(super) fn captured(&self, text: &str) -> Vec<String> {
        let Some(lines) = &self.captured else { return Vec::new() };
        lock(lines).iter().filter(|line| line.contains(text)).cloned().collect()
    }

    pub(super) fn push(&self, line: &[u8]) {
        if let Some(lines) = &self.captured {
            let mut lines = lock(lines);
            if lines.len() == CAPTURED_LINES {
                lines.pop_front();
            }
            lines.push_back(String::from_utf8_lossy(line).into_owned());
            return;
        }
        let mut pending = lock(&self.pending);
        if pending.bytes.len() + line.len() > BUFFER_BYTES {
            pending.dropped += 1;
            return;
        }
        let was_empty = pending.bytes.is_empty();
        pending.bytes.extend_from_slice(line);
        drop(pending);
        if was_empty {
            self.wake.notify_one();
        }
    }

    /// Swaps full for empty until the writer is closed and all is written.
    fn empty_into(&self, mut out: impl Write) {
        let mut full = buffer();
        loop {
            let mut pending = lock(&self.pending);
            while pending.bytes.is_empty() && !pending.closed {
                pending = self.wake.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut full, &mut pending.bytes);
            let (dropped, closed) = (std::mem::take(&mut pending.dropped), pending.closed);
            drop(pending);
            // There is nowhere to report a log that cannot be written.
            out.write_all(&full).and_then(|()| out.flush()).ok();
            full.clear();
            if dropped > 0 {
                metrics::log_dropped(dropped);
                report(&mut out, dropped);
            }
            if closed {
                return;
            }
        }
    }
}

fn report(out: &mut impl Write, dropped: u64) {
    line::with(
        false,
        line::Speaker::Around("log"),
        |line| {
            line.head("WARN", "shared::telemetry::log");
            line.text("message", "lines were dropped, the log could not keep up");
            line.number("lines", dropped);
        },
        |bytes| {
            out.write_all(bytes).ok();
        },
    );
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that writes. Dropping it writes what is left.
pub struct Writer {
    sink: &'static Sink,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(log: &Log) -> io::Result<Writer> {
        let sink = Sink::leaked(None);
        let thread = std::thread::Builder::new().name("log".to_owned());
        let thread = match log.mode {
            // Locked for each write alone, or whoever else prints would wait for ever.
            LogMode::Console => thread.spawn(move || sink.empty_into(io::stdout()))?,
            LogMode::File => {
                let file = open(log)?;
                thread.spawn(move || sink.empty_into(file))?
            }
        };
        Ok(Writer { sink, thread: Some(thread) })
    }

    pub(super) fn sink(&self) -> &'static Sink {
        self.sink
    }
}

fn open(log: &Log) -> io::Result<File> {
    if let Some(folder) = log.path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(&log.path)
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.sink.pending).closed = true;
        self.sink.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ended by a panic at worst, and then has said so.
            thread.join().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_dropped_and_reported() {
        let sink = Sink::leaked(None);
        let line = vec![b'x'; BUFFER_BYTES / 2];
        for _ in 0..5 {
            sink.push(&line);
        }
        lock(&sink.pending).closed = true;
        let mut out = Vec::new();
        sink.empty_into(&mut out);
        assert!(out.starts_with(&line) && out.len() < BUFFER_BYTES + 500);
        assert!(String::from_utf8_lossy(&out[BUFFER_BYTES..]).contains(r#""lines":3"#));
    }
}
