//! Where a shop of a test is: in the test's own process, or wherever `E2E_URL` says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use mall::Options;
use mall::config::Listen;
use serde_json::{Value, json};
use shared::config::{self, Mode};
use shared::lifecycle::{Lifecycle, Shutdown};
use tempfile::TempDir;

use crate::audit::Sources;

pub(super) enum Place {
    Here {
        lifecycle: Lifecycle,
        folder: Arc<TempDir>,
        sources: Sources,
    },
    /// Its data may be within reach.
    Elsewhere(Option<Sources>),
}

/// Stopping takes no longer than this, whatever is under way.
const GRACE: Duration = Duration::from_secs(10);

impl Place {
    /// The address that `E2E_URL` names, and the data that `E2E_DATA` does.
    pub(super) fn elsewhere() -> Option<(String, Place)> {
        let url = config::environment("E2E_URL")?;
        let data = config::environment("E2E_DATA").map(PathBuf::from);
        let sources = data.as_deref().map(Sources::in_folder);
        Some((url.trim_end_matches('/').to_owned(), Place::Elsewhere(sources)))
    }

    pub(super) fn at(data: &Path) -> Place {
        Place::Elsewhere(Some(Sources::in_folder(data)))
    }

    pub(super) async fn here(services: Value) -> (String, Place) {
        let folder = tempfile::Builder::new().prefix("e2e-").tempdir().expect("there is room for a folder");
        Place::start(Arc::new(folder), services).await
    }

    pub(super) async fn again(&self, services: Value) -> (String, Place) {
        match self {
            Place::Here { folder, .. } => Place::start(folder.clone(), services).await,
            Place::Elsewhere(_) => panic!("another process' shop cannot be started again"),
        }
    }

    async fn start(folder: Arc<TempDir>, services: Value) -> (String, Place) {
        shared::telemetry::log::capture();
        let lifecycle = Lifecycle::new("mall", &Shutdown { beat: Duration::ZERO, grace_period: GRACE });
        let options = Options {
            mode: Mode::Test,
            listen: Listen { host: "127.0.0.1".to_owned(), port: 0 },
            data: Some(folder.path().to_owned()),
            services: overlays(services),
        };
        let shop = mall::start(options, &lifecycle).await;
        let shop = shop.unwrap_or_else(|error| panic!("{}", shared::error::chain(&*error)));
        lifecycle.started();
        let sources = Sources::in_folder(folder.path());
        (format!("http://{}", shop.gateway), Place::Here { lifecycle, folder, sources })
    }

    pub(super) fn sources(&self) -> Option<&Sources> {
        match self {
            Place::Here { sources, .. } => Some(sources),
            Place::Elsewhere(sources) => sources.as_ref(),
        }
    }

    /// # Panics
    /// Where a task had died, or the grace period did not suffice.
    pub(super) async fn stop(&self) {
        let Place::Here { lifecycle, .. } = self else { return };
        if let Some(died) = lifecycle.died().now_or_never() {
            panic!("{died}\n{}", troubles());
        }
        let stopped = tokio::time::timeout(GRACE, lifecycle.stop()).await;
        assert!(stopped.is_ok(), "the shop did not stop within {GRACE:?}\n{}", troubles());
    }
}

/// What a test asks for, over what all tests need: they need no commit to outlive a power cut.
pub(super) fn overlays(services: Value) -> BTreeMap<String, Value> {
    let mut all: BTreeMap<String, Value> = ["payment-sim", "user-rpc", "product-rpc", "order-rpc"]
        .map(|name| (name.to_owned(), json!({"DataSource": {"Durable": false}})))
        .into();
    let Value::Object(services) = services else { return all };
    for (name, wanted) in services {
        let overlay = all.entry(name).or_insert_with(|| json!({}));
        if let (Value::Object(overlay), Value::Object(wanted)) = (overlay, wanted) {
            overlay.extend(wanted);
        }
    }
    all
}

/// What the log of this process complains of: for the message of a test that fails.
pub(super) fn troubles() -> String {
    let mut lines = shared::telemetry::log::captured("\"level\":\"ERROR\"");
    lines.extend(shared::telemetry::log::captured("\"level\":\"WARN\""));
    lines.truncate(40);
    lines.concat()
}

#[expect(clippy::print_stderr, reason = "a test that does not look says so")]
pub(super) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
