//! Reads the databases into [`Books`], each in one transaction, so that what it says of itself is of one moment. Orders
//! are read before and after everything else: those that are the same both times did not move meanwhile.

use std::collections::BTreeMap;

use anyhow::Context;
use shared::clock;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Connection, FromRow, Transaction};

use super::Sources;
use super::books::{
    Books, Charge, DeadLetter, Key, Line, Move, Order, Payment, Product, Reservation, Sent, StockMove, Token,
    User,
};

pub(super) async fn all(sources: &Sources) -> anyhow::Result<Books> {
    static DRIVERS: std::sync::Once = std::sync::Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    let (mut before, mut books) = (Books::default(), Books::default());
    within(&sources.order, async |tx| order(tx, &mut before).await).await?;
    within(&sources.product, async |tx| product(tx, &mut books).await).await?;
    within(&sources.payment, async |tx| payment(tx, &mut books).await).await?;
    within(&sources.user, async |tx| user(tx, &mut books).await).await?;
    within(&sources.order, async |tx| order(tx, &mut books).await).await?;
    let after = books.at_rest();
    books.resting = before
        .at_rest()
        .into_iter()
        .filter(|(id, seq)| after.get(id) == Some(seq))
        .map(|(id, _)| id)
        .collect();
    Ok(books)
}

async fn within(
    url: &str,
    read: impl AsyncFnOnce(&mut Transaction<'_, Any>) -> sqlx::Result<()>,
) -> anyhow::Result<()> {
    let whole = async {
        let mut connection = AnyConnection::connect(url).await?;
        let mut tx = connection.begin().await?;
        read(&mut tx).await?;
        tx.rollback().await?;
        connection.close().await
    };
    whole.await.with_context(|| format!("{url} cannot be read"))
}

async fn rows<T>(tx: &mut Transaction<'_, Any>, query: &'static str) -> sqlx::Result<Vec<T>>
where
    T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
{
    sqlx::query_as::<Any, T>(query).fetch_all(&mut **tx).await
}

async fn user(tx: &mut Transaction<'_, Any>, books: &mut Books) -> sqlx::Result<()> {
    let users: Vec<(String, String)> = rows(tx, "SELECT id, password_hash FROM users").await?;
    books.users = users.into_iter().map(|(id, password_hash)| (id, User { password_hash })).collect();
    let tokens: Vec<(String, String, i64, i64)> =
        rows(tx, "SELECT hash, family, rotated_at, revoked_at FROM refresh_tokens").await?;
    let token = |(hash, family, rotated_at, revoked_at)| Token {
        hash,
        family,
        is_good: rotated_at == 0 && revoked_at == 0,
    };
    books.tokens = tokens.into_iter().map(token).collect();
    Ok(())
}

async fn product(tx: &mut Transaction<'_, Any>, books: &mut Books) -> sqlx::Result<()> {
    let products: Vec<(String, i64, i64)> = rows(tx, "SELECT id, on_hand, reserved FROM products").await?;
    books.products =
        products.into_iter().map(|(id, on_hand, reserved)| (id, Product { on_hand, reserved })).collect();
    let moves: Vec<(String, i64, String)> =
        rows(tx, "SELECT product_id, delta, cause FROM stock_moves").await?;
    let moves = moves.into_iter().map(|(product_id, delta, cause)| StockMove { product_id, delta, cause });
    books.stock_moves = moves.collect();
    let all: Vec<(String, String, i64)> =
        rows(tx, "SELECT order_id, status, expires_at FROM reservations").await?;
    for (order_id, status, expires_at) in all {
        books.reservations.insert(order_id, Reservation { status, expires_at, lines: BTreeMap::new() });
    }
    let lines: Vec<(String, String, i64)> =
        rows(tx, "SELECT order_id, product_id, quantity FROM reservation_lines").await?;
    for (order_id, product_id, quantity) in lines {
        if let Some(reservation) = books.reservations.get_mut(&order_id) {
            reservation.lines.insert(product_id, quantity);
        }
    }
    let inbox: Vec<(String,)> = rows(tx, "SELECT event_id FROM inbox WHERE consumer = 'product-rpc'").await?;
    books.inbox = inbox.into_iter().map(|(id,)| id).collect();
    books.dead_letters = dead_letters(tx).await?;
    books.product_keys = keys(tx).await?;
    Ok(())
}

async fn order(tx: &mut Transaction<'_, Any>, books: &mut Books) -> sqlx::Result<()> {
    type Row = (String, String, String, i64, i64, String, i64);
    let orders: Vec<Row> =
        rows(tx, "SELECT id, user_id, status, seq, amount, currency, expires_at FROM orders").await?;
    for (id, user_id, status, seq, amount, currency, expires_at) in orders {
        let (lines, moves) = (Vec::new(), Vec::new());
        let order = Order { user_id, status, seq, amount, currency, expires_at, lines, moves };
        books.orders.insert(id, order);
    }
    let lines: Vec<(String, String, i64, i64)> = rows(
        tx,
        "SELECT order_id, product_id, quantity, unit_price FROM order_lines ORDER BY order_id, position",
    )
    .await?;
    for (order_id, product_id, quantity, unit_price) in lines {
        if let Some(order) = books.orders.get_mut(&order_id) {
            order.lines.push(Line { product_id, quantity, unit_price });
        }
    }
    let moves: Vec<(String, i64, String, String, i64)> =
        rows(tx, "SELECT order_id, seq, from_status, to_status, at FROM order_moves ORDER BY order_id, seq")
            .await?;
    for (order_id, seq, from, to, at) in moves {
        if let Some(order) = books.orders.get_mut(&order_id) {
            order.moves.push(Move { seq, from, to, at });
        }
    }
    let payments: Vec<(String, String, String, i64, String)> =
        rows(tx, "SELECT id, order_id, status, amount, currency FROM payments ORDER BY created_at, id")
            .await?;
    for (id, order_id, status, amount, currency) in payments {
        books.payments.entry(order_id).or_default().push(Payment { id, status, amount, currency });
    }
    let outbox: Vec<(String, String, i64, String, i64)> =
        rows(tx, "SELECT id, event_key, seq, event, sent_at FROM outbox ORDER BY event_key, seq").await?;
    let sent = |(id, key, seq, event, sent_at)| Sent { id, key, seq, event, sent_at };
    books.outbox = outbox.into_iter().map(sent).collect();
    books.order_keys = keys(tx).await?;
    Ok(())
}

async fn payment(tx: &mut Transaction<'_, Any>, books: &mut Books) -> sqlx::Result<()> {
    type Row = (String, String, i64, String, String, i64);
    let charges: Vec<Row> =
        rows(tx, "SELECT charge_key, status, amount, currency, reference, decided_at FROM charges").await?;
    let now = clock::wall_ms();
    for (key, status, amount, currency, reference, decided_at) in charges {
        // The provider knows already what it will have decided.
        let status = if decided_at > now { "pending".to_owned() } else { status };
        books.charges.insert(key, Charge { status, amount, currency, reference });
    }
    Ok(())
}

async fn dead_letters(tx: &mut Transaction<'_, Any>) -> sqlx::Result<Vec<DeadLetter>> {
    let letters: Vec<(String, String, String)> =
        rows(tx, "SELECT consumer, event_id, reason FROM dead_letters").await?;
    let letter = |(consumer, event_id, reason)| DeadLetter { consumer, event_id, reason };
    Ok(letters.into_iter().map(letter).collect())
}

async fn keys(tx: &mut Transaction<'_, Any>) -> sqlx::Result<Vec<Key>> {
    type Row = (String, String, String, i64, i64);
    let keys: Vec<Row> = rows(
        tx,
        "SELECT scope, idem_key, subject, claimed_until, CASE WHEN answer IS NULL THEN 0 ELSE 1 END
         FROM idempotency",
    )
    .await?;
    let key = |(scope, key, subject, claimed_until, answered)| Key {
        scope,
        key,
        subject,
        claimed_until,
        is_answered: answered == 1,
    };
    Ok(keys.into_iter().map(key).collect())
}
