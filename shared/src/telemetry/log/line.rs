//! One line of the log, JSON or plain, built in a buffer that its thread keeps. Nothing is allocated for a line.

use std::cell::RefCell;
use std::fmt;
use std::io::Write as _;

use crate::clock;
use crate::pipeline::ambient;

/// `2026-11-22T09:30:00.`: changes once a second, so each thread keeps the last one.
struct Stamp {
    second: u64,
    text: String,
}

thread_local! {
    static BUFFER: RefCell<(Vec<u8>, Stamp)> =
        const { RefCell::new((Vec::new(), Stamp { second: 0, text: String::new() })) };
}

/// Builds a line and hands it to `sink`. A line that is logged while another is being built on the same thread, from
/// within a `Debug` for example, is lost.
pub(super) fn with(
    plain: bool,
    process: &str,
    service: Option<&str>,
    build: impl FnOnce(&mut Line<'_>),
    sink: impl FnOnce(&[u8]),
) {
    BUFFER.with(|buffer| {
        let Ok(mut buffer) = buffer.try_borrow_mut() else { return };
        let (out, stamp) = &mut *buffer;
        out.clear();
        let mut line = Line { out, plain };
        line.start(stamp, process, service);
        build(&mut line);
        line.out.extend_from_slice(if plain { b"\n" } else { b"}\n" });
        sink(line.out);
    });
}

/// The part of a line that never changes: made once, copied into each line.
pub struct Constant {
    service: Option<&'static str>,
    json: Vec<u8>,
    plain: Vec<u8>,
}

impl Constant {
    /// `service` where the line's writer knows it better than what surrounds the request.
    pub fn new(
        service: Option<&'static str>,
        level: &str,
        target: &str,
        message: &str,
        fields: &[(&str, &str)],
    ) -> Constant {
        let build = |plain| {
            let mut out = Vec::new();
            let mut line = Line { out: &mut out, plain };
            line.head(level, target);
            line.text("message", message);
            for (name, value) in fields {
                line.text(name, value);
            }
            out
        };
        Constant { service, json: build(false), plain: build(true) }
    }

    pub(super) fn service(&self) -> Option<&str> {
        self.service
    }
}

pub struct Line<'a> {
    out: &'a mut Vec<u8>,
    plain: bool,
}

impl Line<'_> {
    fn start(&mut self, stamp: &mut Stamp, process: &str, service: Option<&str>) {
        let now = clock::wall();
        if stamp.second != now.as_secs() || stamp.text.is_empty() {
            stamp.second = now.as_secs();
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(stamp.second);
            stamp.text = humantime::format_rfc3339_seconds(at).to_string();
            stamp.text.pop();
        }
        let ambient = ambient::current();
        let service = service.or(ambient.map(|ambient| ambient.service)).filter(|name| !name.is_empty());
        let service = service.unwrap_or(process);
        if !self.plain {
            self.out.extend_from_slice(b"{\"timestamp\":\"");
        }
        self.out.extend_from_slice(stamp.text.as_bytes());
        self.out.push(b'.');
        self.padded(now.subsec_millis().into());
        self.out.push(b'Z');
        if self.plain {
            self.out.push(b' ');
            self.out.extend_from_slice(service.as_bytes());
            return;
        }
        self.out.push(b'"');
        self.text("service", service);
        if let Some(ids) = ambient.map(|ambient| ambient.ids).filter(|ids| ids.trace != 0) {
            self.out.extend_from_slice(b",\"trace_id\":\"");
            self.out.extend_from_slice(&ids.trace_hex());
            self.out.extend_from_slice(b"\",\"span_id\":\"");
            self.out.extend_from_slice(&ids.span_hex());
            self.out.push(b'"');
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

    pub(super) fn constant(&mut self, constant: &Constant) {
        self.out.extend_from_slice(if self.plain { &constant.plain } else { &constant.json });
    }

    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        if self.plain {
            // A line break in a value must not look like the next line.
            self.out.extend(value.bytes().map(|byte| if byte < 0x20 { b' ' } else { byte }));
            return;
        }
        self.out.push(b'"');
        if value.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.out.extend_from_slice(value.as_bytes());
        } else {
            escape(self.out, value);
        }
        self.out.push(b'"');
    }

    pub fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        self.digits(value);
    }

    /// A duration in nanoseconds, written as milliseconds with three decimals.
    pub fn milliseconds(&mut self, name: &str, nanoseconds: u64) {
        self.name(name);
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

fn escape(out: &mut Vec<u8>, value: &str) {
    for character in value.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            control if (control as u32) < 0x20 => {
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
    use crate::telemetry::trace::Ids;

    fn line(plain: bool, build: impl FnOnce(&mut Line<'_>)) -> String {
        let mut text = String::new();
        with(plain, "shop", None, build, |bytes| text = String::from_utf8(bytes.to_vec()).unwrap());
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
    fn milliseconds_have_three_decimals() {
        assert!(line(true, |line| line.milliseconds("ms", 1_234_567_890)).contains("ms=1234.567"));
        assert!(line(true, |line| line.milliseconds("ms", 7_000)).contains("ms=0.007"));
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
