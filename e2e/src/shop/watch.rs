//! An order's events as a browser reads them (WHATWG HTML, 9.2).

use std::panic::Location;

use serde_json::Value;

use super::{Call, SOON};

/// An open stream of events.
pub struct Watch {
    rsp: reqwest::Response,
    read: String,
    place: &'static Location<'static>,
}

/// One `order.status` event.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    pub id: i64,
    pub status: String,
    pub data: Value,
}

impl Watch {
    pub(super) async fn open(call: Call) -> Watch {
        let place = call.place();
        let rsp = call.stream().await.unwrap_or_else(|error| panic!("{place}: {error:?}"));
        assert_eq!(rsp.status().as_u16(), 200, "{place}");
        let content_type = rsp.headers()["content-type"].to_str().unwrap_or_default();
        assert_eq!(content_type.split(';').next(), Some("text/event-stream"), "{place}");
        Watch { rsp, read: String::new(), place }
    }

    /// The next event; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Moved> {
        match tokio::time::timeout(SOON, self.read_one()).await {
            Ok(moved) => moved,
            Err(_) => panic!("{}: no event within {SOON:?}", self.place),
        }
    }

    /// The states that the next events tell, up to this one.
    pub async fn until(&mut self, status: &str) -> Vec<Moved> {
        let mut all = Vec::new();
        while let Some(moved) = self.next().await {
            let is_last = moved.status == status;
            all.push(moved);
            if is_last {
                return all;
            }
        }
        panic!("{}: the stream ended before {status}: {all:?}", self.place)
    }

    async fn read_one(&mut self) -> Option<Moved> {
        loop {
            while let Some((block, rest)) = self.read.split_once("\n\n") {
                let moved = self.parse(block);
                self.read = rest.to_owned();
                if moved.is_some() {
                    return moved;
                }
            }
            // A stream that breaks off has ended.
            let chunk = self.rsp.chunk().await.ok().flatten()?;
            self.read.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// `None` for a comment.
    fn parse(&self, block: &str) -> Option<Moved> {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let data: Value = serde_json::from_str(field("data:")?).unwrap_or_default();
        assert_eq!(field("event:"), Some("order.status"), "{}: {block}", self.place);
        let id = field("id:").and_then(|id| id.parse().ok()).unwrap_or_default();
        assert_eq!(data["seq"], id, "{}: {block}", self.place);
        assert!(data["order_id"].is_string() && data["at"].is_string(), "{}: {block}", self.place);
        Some(Moved { id, status: data["status"].as_str().unwrap_or_default().to_owned(), data })
    }
}
