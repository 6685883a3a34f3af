//! SQL transactions and idempotency keys, on a real database each.

use std::time::Duration;

use shared::error::{Code, Error, Result};
use shared::store::idempotency::{self, Claim, Key, Known};
use shared::store::sql::{Db, Migrations};
use shared::testing::eventually;
use shared::transaction;

use crate::world::{self, World};

const MIGRATIONS: Migrations = Migrations {
    sqlite: &[
        "CREATE TABLE stock (id VARCHAR(36) PRIMARY KEY, on_hand BIGINT NOT NULL, reserved BIGINT NOT NULL)",
        idempotency::SQLITE,
    ],
};

async fn reserve(db: &Db, id: &str) -> Result<bool> {
    transaction!(db, |tx| {
        let update =
            sqlx::query("UPDATE stock SET reserved = reserved + 1 WHERE id = ? AND on_hand - reserved >= 1");
        let done = update.bind(id).execute(tx.on()).await?;
        Ok(done.rows_affected() == 1)
    })
}

async fn reserved(db: &Db) -> i64 {
    sqlx::query_scalar("SELECT reserved FROM stock").fetch_one(db.pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_transactions_for_100_pieces_100_win() {
    let world = World::new(&MIGRATIONS).await;
    sqlx::query("INSERT INTO stock VALUES ('a', 100, 0)").execute(world.db.pool()).await.unwrap();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let db = world.db.clone();
        all.spawn(async move { reserve(&db, "a").await.unwrap() });
    }
    let won = all.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!((won, reserved(&world.db).await), (100, 100));
}

/// As much as the disk takes; then the database rolls back by itself.
async fn fill_the_disk(db: &Db) -> Result<()> {
    transaction!(db, |tx| {
        sqlx::query("PRAGMA max_page_count = 1").execute(tx.on()).await?;
        for _ in 0..1000 {
            let insert = "INSERT INTO stock VALUES (hex(randomblob(2000)), 1, 0)";
            sqlx::query(insert).execute(tx.on()).await?;
        }
        Ok(())
    })
}

#[tokio::test]
async fn a_disk_that_was_full_is_no_matter_once_there_is_room() {
    let world = World::new(&MIGRATIONS).await;
    sqlx::query("INSERT INTO stock VALUES ('a', 100, 0)").execute(world.db.pool()).await.unwrap();
    for times in 1..=3 {
        let full = fill_the_disk(&world.db).await.unwrap_err();
        assert!(full.chain().contains("full"), "{}", full.chain());
        assert!(reserve(&world.db, "a").await.unwrap());
        assert_eq!(reserved(&world.db).await, times);
    }
}

/// What a database does by itself in many a fault.
#[tokio::test]
async fn who_finds_the_transaction_gone_leaves_no_connection_that_cannot_begin() {
    let world = World::new(&MIGRATIONS).await;
    sqlx::query("INSERT INTO stock VALUES ('a', 100, 0)").execute(world.db.pool()).await.unwrap();
    let gone: Result<()> = transaction!(world.db, |tx| {
        sqlx::query("ROLLBACK").execute(tx.on()).await?;
        Ok(())
    });
    gone.unwrap_err();
    for _ in 0..20 {
        assert!(reserve(&world.db, "a").await.unwrap());
    }
}

async fn fail(db: &Db) -> Result<()> {
    transaction!(db, |tx| {
        sqlx::query("UPDATE stock SET reserved = 7").execute(tx.on()).await?;
        Err(Error::not_found("nothing"))
    })
}

#[tokio::test]
async fn what_fails_leaves_nothing() {
    let world = World::new(&MIGRATIONS).await;
    sqlx::query("INSERT INTO stock VALUES ('a', 100, 0)").execute(world.db.pool()).await.unwrap();
    let failed = fail(&world.db).await;
    assert_eq!(failed.unwrap_err().code(), Code::NotFound);
    assert_eq!(reserved(&world.db).await, 0);
    // The writer's turn was given back.
    assert!(reserve(&world.db, "a").await.unwrap());
}

#[tokio::test]
async fn migrations_run_once() {
    let world = World::new(&MIGRATIONS).await;
    sqlx::query("INSERT INTO stock VALUES ('a', 1, 0)").execute(world.db.pool()).await.unwrap();
    assert_eq!(reserved(&world::open(&world.folder, &MIGRATIONS, &world.lifecycle).await).await, 0);
}

const LEASE: Duration = Duration::from_secs(30);

fn key(request: &str) -> Key {
    Key::new("anna", "place", "k1", request.as_bytes()).unwrap()
}

async fn finish(db: &Db, claim: &Claim, answer: &str) -> Result<()> {
    transaction!(db, |tx| { idempotency::finish(tx, claim, answer).await })
}

async fn refusal(db: &Db, key: &Key) -> String {
    idempotency::begin(db, key, LEASE).await.err().map(|error| error.reason().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn a_key_is_worked_once_and_answers_again() {
    let World { db, folder: _folder, .. } = World::new(&MIGRATIONS).await;
    let Known::Claimed(claim) = idempotency::begin(&db, &key("a"), LEASE).await.unwrap() else { panic!() };
    assert_eq!(refusal(&db, &key("a")).await, "idempotency_in_flight");
    assert_eq!(refusal(&db, &key("b")).await, "idempotency_key_reused");
    finish(&db, &claim, "the answer").await.unwrap();
    let Known::Done(answer) = idempotency::begin(&db, &key("a"), LEASE).await.unwrap() else { panic!() };
    assert_eq!(answer, "the answer");
    assert_eq!(refusal(&db, &key("b")).await, "idempotency_key_reused");
    let other = Key::new("bert", "place", "k1", b"b").unwrap();
    assert!(matches!(idempotency::begin(&db, &other, LEASE).await.unwrap(), Known::Claimed(_)));
}

#[tokio::test]
async fn a_claim_that_ran_out_is_taken_over_with_its_subject() {
    let World { db, folder: _folder, .. } = World::new(&MIGRATIONS).await;
    let Known::Claimed(first) = idempotency::begin(&db, &key("a"), Duration::ZERO).await.unwrap() else {
        panic!()
    };
    // A lease of nothing has run out a millisecond later.
    let second =
        eventually(Duration::from_secs(5), async || match idempotency::begin(&db, &key("a"), LEASE).await {
            Ok(Known::Claimed(claim)) => Some(claim),
            _ => None,
        })
        .await;
    assert_eq!(first.subject, second.subject);
    assert!(!first.again && second.again);
    assert_eq!(finish(&db, &first, "late").await.unwrap_err().reason(), "idempotency_in_flight");
    finish(&db, &second, "fine").await.unwrap();
}

#[tokio::test]
async fn a_claim_that_is_handed_over_is_taken_at_once() {
    let World { db, folder: _folder, .. } = World::new(&MIGRATIONS).await;
    let Known::Claimed(first) = idempotency::begin(&db, &key("a"), LEASE).await.unwrap() else { panic!() };
    idempotency::hand_over(&db, &first).await.unwrap();
    assert_eq!(refusal(&db, &key("b")).await, "idempotency_key_reused");
    let Known::Claimed(second) = idempotency::begin(&db, &key("a"), LEASE).await.unwrap() else { panic!() };
    assert!(second.again && first.subject == second.subject);
    // Whose claim it is no longer cannot hand it over.
    idempotency::hand_over(&db, &first).await.unwrap();
    assert_eq!(refusal(&db, &key("a")).await, "idempotency_in_flight");
    finish(&db, &second, "fine").await.unwrap();
}

#[tokio::test]
async fn a_released_key_may_be_used_again() {
    let World { db, folder: _folder, .. } = World::new(&MIGRATIONS).await;
    let Known::Claimed(claim) = idempotency::begin(&db, &key("a"), LEASE).await.unwrap() else { panic!() };
    idempotency::release(&db, &claim).await.unwrap();
    assert!(matches!(idempotency::begin(&db, &key("b"), LEASE).await.unwrap(), Known::Claimed(_)));
}

/// More than are forgotten at a time.
#[tokio::test]
async fn old_keys_are_forgotten_but_for_those_that_somebody_works_under() {
    let World { db, folder: _folder, lifecycle } = World::new(&MIGRATIONS).await;
    let Known::Claimed(claim) = idempotency::begin(&db, &key("a"), LEASE).await.unwrap() else { panic!() };
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
         INSERT INTO idempotency SELECT 'old', 'k' || i, '', '', '', 0, 'done', i FROM n";
    for sql in [many, "UPDATE idempotency SET created_at = 1 WHERE scope <> 'old'"] {
        sqlx::query(sql).execute(db.pool()).await.unwrap();
    }
    idempotency::forget_old(&db, Duration::from_secs(3600), &lifecycle);
    let left = async || {
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM idempotency").fetch_one(db.pool()).await;
        (count.unwrap_or(0_i64) == 1).then_some(())
    };
    eventually(Duration::from_secs(20), left).await;
    finish(&db, &claim, "the answer").await.unwrap();
    assert!(matches!(idempotency::begin(&db, &key("a"), LEASE).await.unwrap(), Known::Done(_)));
}

#[test]
fn a_key_must_be_there_and_short() {
    let reason = |key: &str| Key::new("anna", "place", key, b"").err().map(|error| error.reason().to_owned());
    assert_eq!(reason("").as_deref(), Some("idempotency_key_missing"));
    assert_eq!(reason(&"x".repeat(256)).as_deref(), Some("invalid_argument"));
    assert_eq!(reason(&"ü".repeat(255)), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_closed_is_one_file() {
    let world = World::new(&MIGRATIONS).await;
    sqlx::query("INSERT INTO stock VALUES ('a', 100, 0)").execute(world.db.pool()).await.unwrap();
    assert!(reserve(&world.db, "a").await.unwrap());
    let files = || {
        let entries = std::fs::read_dir(world.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert!(files().contains(&"test.db-wal".to_owned()));
    world.lifecycle.stop().await;
    assert_eq!(files(), ["test.db"]);
    let refused = reserve(&world.db, "a").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(reserved(&world::open(&world.folder, &MIGRATIONS, &world::lifecycle()).await).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_may_be_opened_by_several_at_once() {
    for _ in 0..10 {
        let (folder, lifecycle) = (tempfile::TempDir::new().unwrap(), world::lifecycle());
        let open = || world::open(&folder, &MIGRATIONS, &lifecycle);
        let (one, _, _) = tokio::join!(open(), open(), open());
        sqlx::query("INSERT INTO stock VALUES ('a', 1, 0)").execute(one.pool()).await.unwrap();
        lifecycle.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_in_the_middle_changes_nothing_and_holds_nobody_up() {
    let world = World::new(&MIGRATIONS).await;
    sqlx::query("INSERT INTO stock VALUES ('a', 1000000, 0)").execute(world.db.pool()).await.unwrap();
    let both = async |db: Db| -> Result<()> {
        transaction!(db, |tx| {
            for _ in 0..2 {
                sqlx::query("UPDATE stock SET reserved = reserved + 1").execute(tx.on()).await?;
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    };
    let mut all = tokio::task::JoinSet::new();
    for n in 0..300_u64 {
        let (db, patience) = (world.db.clone(), Duration::from_micros(n * 37 % 3000));
        all.spawn(async move { tokio::time::timeout(patience, both(db)).await.is_ok() });
    }
    all.join_all().await;
    assert_eq!(reserved(&world.db).await % 2, 0, "both or none");
    let before = reserved(&world.db).await;
    let begun = tokio::time::Instant::now();
    both(world.db.clone()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(reserved(&world.db).await, before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_keeps_out_is_unavailable() {
    let world = World::new(&MIGRATIONS).await;
    let other = world::open(&world.folder, &MIGRATIONS, &world.lifecycle).await;
    // Without its wait, which is longer than a test's.
    let mut reader = world.db.pool().acquire().await.unwrap();
    sqlx::query("PRAGMA busy_timeout = 0").execute(&mut *reader).await.unwrap();
    let mut writer = other.pool().acquire().await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut *writer).await.unwrap();
    let refused = sqlx::query("BEGIN IMMEDIATE").execute(&mut *reader).await;
    assert_eq!(Error::from(refused.unwrap_err()).code(), Code::Unavailable);
}
