//! A client of server-sent events.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use reqwest::RequestBuilder;
use serde_json::Value;

use crate::world::WAIT;

pub(crate) struct Events {
    chunks: Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>>>>,
    text: String,
}

/// One event, as it was written.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Events {
    pub(crate) async fn open(req: RequestBuilder) -> Events {
        let rsp = req.send().await.unwrap();
        assert_eq!(rsp.status(), 200);
        assert_eq!(rsp.headers()["content-type"], "text/event-stream");
        assert_eq!(rsp.headers()["x-trace-id"].len(), 32);
        let chunks = rsp.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec()));
        Events { chunks: Box::pin(chunks), text: String::new() }
    }

    /// `None` when the stream has ended well.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if event != ":" {
                    return Some(read(&event));
                }
                continue;
            }
            let chunk = tokio::time::timeout(WAIT, self.chunks.next()).await.expect("something happens");
            match chunk {
                Some(chunk) => self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap()),
                None => return None,
            }
        }
    }

    /// The number and status of the next event.
    pub(crate) async fn told(&mut self) -> (i64, String) {
        let told = self.next().await.expect("the stream goes on");
        assert_eq!(told.name, "order.status");
        assert_eq!(told.id, told.data["seq"].to_string());
        (told.data["seq"].as_i64().unwrap(), told.data["status"].as_str().unwrap().to_owned())
    }
}

fn read(event: &str) -> Told {
    let mut told = Told { id: String::new(), name: String::new(), data: Value::Null };
    for line in event.lines() {
        match line.split_once(": ").unwrap() {
            ("id", id) => told.id = id.to_owned(),
            ("event", name) => told.name = name.to_owned(),
            ("data", data) => told.data = serde_json::from_str(data).unwrap(),
            _ => panic!("{line}"),
        }
    }
    told
}
