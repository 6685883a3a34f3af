//! A database of its own, and a lifecycle, for each test.

use shared::lifecycle::{Lifecycle, Shutdown};
use shared::store::sql::{DataSource, Db, Migrations};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn new(migrations: &Migrations) -> World {
        let folder = TempDir::new().unwrap();
        let lifecycle = lifecycle();
        let db = open(&folder, migrations, &lifecycle).await;
        World { db, lifecycle, folder }
    }
}

pub(crate) fn lifecycle() -> Lifecycle {
    Lifecycle::new("test", &Shutdown::default())
}

/// Another connection to the same database, as after a restart.
pub(crate) async fn open(folder: &TempDir, migrations: &Migrations, lifecycle: &Lifecycle) -> Db {
    let url = format!("sqlite://{}/test.db", folder.path().display());
    let conf = DataSource { url, durable: false, ..DataSource::default() };
    Db::open(&conf, migrations, lifecycle).await.unwrap()
}
