//! Answers that come before their request was read.

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use shared::serve::{self, Connections};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::lifecycle;

/// The head of what the server answers to a body of this size.
async fn answer(path: &str, size: usize) -> String {
    let lifecycle = lifecycle();
    let router = Router::new()
        .route("/read", post(async |_: String| StatusCode::OK))
        .route("/unread", post(async || StatusCode::PAYLOAD_TOO_LARGE));
    let listener = serve::bind("127.0.0.1", 0).await.unwrap();
    let address = serve::start(listener, router, &Connections::default(), &lifecycle).unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {size}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&vec![b'x'; size]).await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\n") {
        answer.push(char::from(client.read_u8().await.unwrap()));
    }
    answer.to_ascii_lowercase()
}

#[tokio::test]
async fn an_answer_to_an_unread_request_is_heard_and_is_the_last_one() {
    for size in [10, 1 << 20] {
        let answer = answer("/unread", size).await;
        assert!(answer.starts_with("http/1.1 413 "), "{size}: {answer}");
        assert!(answer.contains("connection: close"), "{size}: {answer}");
    }
}

#[tokio::test]
async fn after_a_request_that_was_read_the_connection_goes_on() {
    for size in [0, 10, 1 << 20] {
        let answer = answer("/read", size).await;
        assert!(answer.starts_with("http/1.1 200 "), "{size}: {answer}");
        assert!(!answer.contains("connection: close"), "{size}: {answer}");
    }
}
