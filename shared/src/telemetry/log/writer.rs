//! The way of lines out of the process: a bounded buffer, and a thread that empties it. A request never waits for a
//! disk or a terminal; what does not fit is dropped, counted, and reported.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    /// All is written.
    over: bool,
}

impl Pending {
    fn new() -> Pending {
        Pending { bytes: buffer(), dropped: 0, closed: false, over: false }
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
            drop(pending);
            // Now, since the thread that could tell may be stuck.
            return metrics::log_dropped(1);
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
        let (mut full, mut untold) = (buffer(), 0);
        loop {
            let mut pending = lock(&self.pending);
            while pending.bytes.is_empty() && !pending.closed {
                pending = self.wake.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut full, &mut pending.bytes);
            untold += std::mem::take(&mut pending.dropped);
            let closed = pending.closed;
            drop(pending);
            if out.write_all(&full).and_then(|()| out.flush()).is_err() {
                // As on a disk that is full. Some may have been written: better one too many.
                let lost = full.iter().filter(|byte| **byte == b'\n').count() as u64;
                metrics::log_dropped(lost);
                untold += lost;
            }
            full.clear();
            if untold > 0 && report(&mut out, untold).is_ok() {
                untold = 0;
            }
            if closed {
                lock(&self.pending).over = true;
                return self.wake.notify_all();
            }
        }
    }
}

fn report(out: &mut impl Write, dropped: u64) -> io::Result<()> {
    let mut written = Ok(());
    line::with(
        false,
        line::Speaker::Around("log"),
        |line| {
            line.head("WARN", "shared::telemetry::log");
            line.text("message", "lines were dropped, the log could not keep up");
            line.number("lines", dropped);
        },
        |bytes| written = out.write_all(bytes),
    );
    written
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that writes. Dropping it writes what is left, as far as it can be written in a moment.
pub struct Writer {
    sink: &'static Sink,
}

const LAST_WAIT: Duration = Duration::from_secs(1);

impl Writer {
    pub(super) fn start(log: &Log) -> io::Result<Writer> {
        let sink = Sink::leaked(None);
        let thread = std::thread::Builder::new().name("log".to_owned());
        match log.mode {
            // Locked for each write alone, or whoever else prints would wait for ever.
            LogMode::Console => thread.spawn(move || sink.empty_into(io::stdout()))?,
            LogMode::File => {
                let file = open(log)?;
                thread.spawn(move || sink.empty_into(file))?
            }
        };
        Ok(Writer { sink })
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
        self.sink.wake.notify_all();
        // Who reads our output may have stopped reading: the process must end all the same.
        let waits = |pending: &mut Pending| !pending.over;
        let over = self.sink.wake.wait_timeout_while(lock(&self.sink.pending), LAST_WAIT, waits);
        drop(over);
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

    fn counted() -> f64 {
        let text = metrics::render();
        let line = text.lines().find_map(|line| line.strip_prefix("log_lines_dropped_total "));
        line.map_or(0.0, |number| number.parse().unwrap())
    }

    /// Fails, and from the second time on works.
    struct FullDisk(bool, Vec<u8>);

    impl Write for FullDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if std::mem::take(&mut self.0) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_lost_is_counted_even_while_nothing_is_written() {
        metrics::start().unwrap();
        let sink = Sink::leaked(None);
        let line = vec![b'x'; BUFFER_BYTES];
        let before = counted();
        sink.push(&line);
        sink.push(&line);
        assert!(counted() >= before + 1.0, "nothing empties it");
        let sink = Sink::leaked(None);
        sink.push(b"one\ntwo\n");
        lock(&sink.pending).closed = true;
        let before = counted();
        let mut disk = FullDisk(true, Vec::new());
        sink.empty_into(&mut disk);
        assert!(counted() >= before + 2.0);
        assert!(String::from_utf8_lossy(&disk.1).contains(r#""lines":2"#));
    }

    #[test]
    fn an_output_that_nobody_reads_does_not_hold_up_the_end() {
        let (reader, writer) = io::pipe().unwrap();
        let sink = Sink::leaked(None);
        sink.push(&vec![b'x'; 1 << 20]);
        std::thread::spawn(move || sink.empty_into(writer));
        drop(Writer { sink });
        assert!(!lock(&sink.pending).over, "it is stuck still");
        drop(reader);
    }
}
