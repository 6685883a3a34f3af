//! One line of the log, JSON or plain, built in a buffer that its thread keeps. Nothing is allocated for a line.

use std::cell::RefCell;
use std::fmt;
use std::io::Write as _;

use crate::clock;
use crate::pipeline::ambient;
use crate::telemetry::trace::Ids;

/// Bytes of one text: a line must fit what collects it, and a client may have written the text.
const LONGEST: usize = 16 << 10;

/// `2026-11-22T09:30:00.`: changes once a second, so each thread keeps the last one.
struct Stamp {
    second: u64,
    text: String,
}

thread_local! {
    static BUFFER: RefCell<(Vec<u8>, Stamp)> =
        const { RefCell::new((Vec::new(), Stamp { second: 0, text: String::new() })) };
}

/// Who speaks in a line.
#[derive(Clone, Copy)]
pub(super) enum Speaker<'a> {
    /// The service that surrounds the code that logs, or this one where none does.
    Around(&'a str),
    Made(&'a Constant),
}

/// Builds a line and hands it to `sink`. A line that is logged while another is being built on the same thread, from
/// within a `Debug` for example, is lost.
pub(super) fn with(
    plain: bool,
    speaker: Speaker<'_>,
    build: impl FnOnce(&mut Line<'_>),
    sink: impl FnOnce(&[u8]),
) {
    BUFFER.with(|buffer| {
        let Ok(mut buffer) = buffer.try_borrow_mut() else { return };
        let (out, stamp) = &mut *buffer;
        out.clear();
        let mut line = Line { out, plain };
        line.start(stamp, speaker);
        build(&mut line);
        line.end();
        sink(line.out);
    });
}

/// The part of a line that never changes: made once, copied into each line.
pub struct Constant {
    json: Vec<u8>,
    plain: Vec<u8>,
}

impl Constant {
    pub fn new(service: &str, level: &str, target: &str, message: &str, fields: &[(&str, &str)]) -> Constant {
        let build = |plain| {
            let mut out = Vec::new();
            let mut line = Line { out: &mut out, plain };
            line.service(service);
            line.head(level, target);
            line.text("message", message);
            for (name, value) in fields {
                line.text(name, value);
            }
            out
        };
        Constant { json: build(false), plain: build(true) }
    }
}

pub struct Line<'a> {
    out: &'a mut Vec<u8>,
    plain: bool,
}

impl Line<'_> {
    fn start(&mut self, stamp: &mut Stamp, speaker: Speaker<'_>) {
        let now = clock::wall();
        if stamp.second != now.as_secs() || stamp.text.is_empty() {
            stamp.second = now.as_secs();
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(stamp.second);
            stamp.text = humantime::format_rfc3339_seconds(at).to_string();
            stamp.text.pop();
        }
        let ambient = ambient::current();
        if !self.plain {
            self.out.extend_from_slice(b"{\"timestamp\":\"");
        }
        self.out.extend_from_slice(stamp.text.as_bytes());
        self.out.push(b'.');
        self.padded(now.subsec_millis().into());
        self.out.extend_from_slice(if self.plain { b"Z" } else { b"Z\"" });
        match speaker {
            Speaker::Made(constant) if self.plain => self.out.extend_from_slice(&constant.plain),
            Speaker::Made(constant) => self.out.extend_from_slice(&constant.json),
            Speaker::Around(process) => {
                let around = ambient.map(|ambient| ambient.service).filter(|name| !name.is_empty());
                self.service(around.unwrap_or(process));
            }
        }
        if let Some(ids) = surrounding_ids().filter(|_| !self.plain) {
            self.out.extend_from_slice(b",\"trace_id\":\"");
            self.out.extend_from_slice(&ids.trace_hex());
            self.out.extend_from_slice(b"\",\"span_id\":\"");
            self.out.extend_from_slice(&ids.span_hex());
            self.out.push(b'"');
        }
    }

    /// In a plain line the trace stands behind all that people read first.
    fn end(&mut self) {
        if !self.plain {
            return self.out.extend_from_slice(b"}\n");
        }
        if let Some(ids) = surrounding_ids() {
            self.out.extend_from_slice(b" trace_id=");
            self.out.extend_from_slice(&ids.trace_hex());
        }
        self.out.push(b'\n');
    }

    fn service(&mut self, service: &str) {
        if self.plain {
            self.out.push(b' ');
            self.out.extend_from_slice(service.as_bytes());
        } else {
            self.text("service", service);
        }
    }

    pub(super) fn head(&mut self, level: &str, target: &str) {
        if self.plain {
            self.out.push(b' ');
            self.out.extend_from_slice(level.as_bytes());
            self.out.push(b' ');
            self.out.extend_from_slice(target.as_bytes());
            self.out.push(b':');
        } else {
            self.text("level", level);
            self.text("target", target);
        }
    }

    /// A text that is too long is cut.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        let shown = &value[..value.floor_char_boundary(LONGEST)];
        // Of control characters, those of C1 begin with this byte.
        let clean = shown.bytes().all(|byte| byte >= 0x20 && !matches!(byte, b'"' | b'\\' | 0x7f | 0xc2));
        if !self.plain {
            self.out.push(b'"');
        }
        match (clean, self.plain) {
            (true, _) => self.out.extend_from_slice(shown.as_bytes()),
            (false, true) => blank(self.out, shown),
            (false, false) => escape(self.out, shown),
        }
        if shown.len() < value.len() {
            self.out.extend_from_slice("…".as_bytes());
        }
        if !self.plain {
            self.out.push(b'"');
        }
    }

    /// How a request ended: what every access line has, so in one go. `end` is a plain word.
    pub fn ended(&mut self, code: u16, end: &'static str, nanoseconds: u64) {
        let [code_is, end_is, took] = match self.plain {
            true => [" code=", " end=", " duration_ms="],
            false => [",\"code\":", ",\"end\":\"", "\",\"duration_ms\":"],
        };
        self.out.extend_from_slice(code_is.as_bytes());
        self.digits(code.into());
        self.out.extend_from_slice(end_is.as_bytes());
        self.out.extend_from_slice(end.as_bytes());
        self.out.extend_from_slice(took.as_bytes());
        self.milliseconds(nanoseconds);
    }

    pub fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        self.digits(value);
    }

    /// With three decimals.
    fn milliseconds(&mut self, nanoseconds: u64) {
        let microseconds = nanoseconds / 1000;
        self.digits(microseconds / 1000);
        self.out.push(b'.');
        self.padded(microseconds % 1000);
    }

    /// A value that is JSON as it stands, such as a number.
    pub fn raw(&mut self, name: &str, value: fmt::Arguments<'_>) {
        self.name(name);
        self.out.write_fmt(value).expect("a Vec takes all that is written to it");
    }

    fn name(&mut self, name: &str) {
        if !self.plain {
            self.out.extend_from_slice(b",\"");
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(b"\":");
        } else if name == "message" {
            self.out.push(b' ');
        } else {
            self.out.push(b' ');
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b'=');
        }
    }

    fn digits(&mut self, mut value: u64) {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.out.extend_from_slice(&digits[at..]);
    }

    /// Three digits of a value below 1000.
    fn padded(&mut self, value: u64) {
        self.out.extend([value / 100, value / 10 % 10, value % 10].map(|digit| b'0' + digit as u8));
    }
}

fn surrounding_ids() -> Option<Ids> {
    ambient::current().map(|ambient| ambient.ids).filter(|ids| ids.trace != 0)
}

/// A line break in a value must not look like the next line, nor may a terminal obey what a client wrote.
fn blank(out: &mut Vec<u8>, value: &str) {
    for character in value.chars() {
        let shown = if character.is_control() { ' ' } else { character };
        out.extend_from_slice(shown.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn escape(out: &mut Vec<u8>, value: &str) {
    for character in value.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            control if control.is_control() => {
                out.extend_from_slice(format!("\\u{:04x}", control as u32).as_bytes());
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pipeline::ambient::Ambient;

    fn line(plain: bool, build: impl FnOnce(&mut Line<'_>)) -> String {
        let mut text = String::new();
        with(plain, Speaker::Around("shop"), build, |bytes| {
            text = String::from_utf8(bytes.to_vec()).unwrap()
        });
        text
    }

    #[test]
    fn a_line_inside_a_request_carries_its_ids_and_its_service() {
        let ids = Ids::root();
        let ambient = Ambient { ids, service: "order-rpc", deadline: None };
        let text = ambient::within(ambient, || line(false, |line| line.head("INFO", "access")));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["trace_id"], ids.to_string());
        assert_eq!(value["span_id"].as_str().unwrap().len(), 16);
        assert_eq!(value["service"], "order-rpc");
        assert_eq!(value["timestamp"].as_str().unwrap().len(), "2026-11-22T09:30:00.123Z".len());
        let outside = line(false, |line| line.head("INFO", "access"));
        assert!(!outside.contains("trace_id") && outside.contains(r#""service":"shop""#));
    }

    #[test]
    fn a_plain_line_names_its_trace_at_the_end() {
        let ids = Ids::root();
        let ambient = Ambient { ids, service: "order-rpc", deadline: None };
        let build = |line: &mut Line<'_>| {
            line.head("INFO", "here");
            line.text("message", "placed");
            line.text("order", "7");
        };
        let text = ambient::within(ambient, || line(true, build));
        assert!(text.ends_with(&format!("Z order-rpc INFO here: placed order=7 trace_id={ids}\n")), "{text}");
        assert!(line(true, build).ends_with("Z shop INFO here: placed order=7\n"));
        let access = Constant::new("order-api", "INFO", "access", "request", &[]);
        let mut text = String::new();
        ambient::within(ambient, || {
            with(
                true,
                Speaker::Made(&access),
                |line| line.number("code", 200),
                |bytes| {
                    text = String::from_utf8(bytes.to_vec()).unwrap();
                },
            );
        });
        assert!(
            text.ends_with(&format!(" order-api INFO access: request code=200 trace_id={ids}\n")),
            "{text}"
        );
    }

    #[test]
    fn a_terminal_obeys_no_client_and_a_huge_text_is_cut() {
        let bad = "a\u{1b}[2J\u{9b}2J\u{7f}\u{85}é";
        assert!(line(true, |line| line.text("value", bad)).ends_with(" value=a [2J 2J  é\n"));
        let json = line(false, |line| line.text("value", bad));
        assert!(!json.trim_end().contains(char::is_control), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["value"], bad);
        let huge = "é".repeat(LONGEST);
        for plain in [false, true] {
            assert!(line(plain, |line| line.text("value", &huge)).len() < LONGEST + 200);
        }
    }

    #[test]
    fn milliseconds_have_three_decimals() {
        let long = line(true, |line| line.ended(200, "answered", 1_234_567_890));
        assert!(long.ends_with(" code=200 end=answered duration_ms=1234.567\n"), "{long}");
        let short = line(false, |line| line.ended(0, "refused", 7_000));
        assert!(short.ends_with(",\"code\":0,\"end\":\"refused\",\"duration_ms\":0.007}\n"), "{short}");
    }

    proptest! {
        #[test]
        fn every_line_is_json_whatever_the_fields_hold(value: String, number: u64) {
            let text = line(false, |line| {
                line.head("WARN", "here");
                line.text("value", &value);
                line.number("number", number);
            });
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read["value"].as_str(), Some(value.as_str()));
            prop_assert_eq!(read["number"].as_u64(), Some(number));
            prop_assert_eq!(text.matches('\n').count(), 1);
        }

        #[test]
        fn a_plain_line_is_one_line(value: String) {
            prop_assert_eq!(line(true, |line| line.text("value", &value)).matches('\n').count(), 1);
        }
    }
}
