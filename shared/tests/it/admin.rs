//! The admin port, asked over a socket as an orchestrator asks it.

use std::net::SocketAddr;

use shared::lifecycle::{Lifecycle, Shutdown};
use shared::serve;
use shared::telemetry::{Prometheus, admin};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world;

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn anywhere() -> Prometheus {
    Prometheus { host: "127.0.0.1".to_owned(), port: 0, ..Prometheus::default() }
}

#[tokio::test]
async fn health_readiness_and_metrics_are_told() {
    let (process, own) = (world::lifecycle(), Lifecycle::new("admin", &Shutdown::default()));
    let address = admin::start(&anywhere(), &process, &own).await.unwrap();
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    let starting = get(address, "/readyz").await;
    assert!(starting.starts_with("HTTP/1.1 503") && starting.ends_with("test is starting\n"), "{starting}");
    process.started();
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/metrics").await.contains("content-type: text/plain"));
    process.stop().await;
    let stopped = get(address, "/readyz").await;
    assert!(stopped.starts_with("HTTP/1.1 503") && stopped.ends_with("test is leaving\n"), "{stopped}");
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"), "it lives as long as it stops");
}

#[tokio::test]
async fn a_port_that_is_taken_is_one_sentence() {
    let first = serve::bind("127.0.0.1", 0).await.unwrap();
    let port = first.local_addr().unwrap().port();
    let conf = Prometheus { port, ..anywhere() };
    let error = admin::start(&conf, &world::lifecycle(), &world::lifecycle()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("port {port} of 127.0.0.1 is taken by another program; stop it, or choose another port")
    );
}

#[tokio::test]
async fn a_path_that_cannot_be_is_one_sentence() {
    for path in ["", "metrics", "/healthz", "/{metrics", "/:metrics", "/*"] {
        let conf = Prometheus { path: path.to_owned(), ..anywhere() };
        let error = admin::start(&conf, &world::lifecycle(), &world::lifecycle()).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("Prometheus.Path: `{path}` cannot be")), "{error}");
    }
}
