//! The audit: reads the books of all services and of the payment provider, and recomputes what must hold among them.
//!
//! What holds inside one database holds at every moment. What holds between two of them holds for an order at rest: an
//! order that is on its way (an event that is not sent, a payment that is not decided) is left out until it has arrived,
//! and [`settled`] waits for that.

mod books;
mod events;
mod keys;
mod orders;
mod payments;
mod read;
mod reservations;
mod stock;
mod unsettled;
mod users;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use shared::clock;
use tokio::time::Instant;

use books::Books;

/// Where the databases are, each by its URL.
#[derive(Debug, Clone)]
pub struct Sources {
    pub user: String,
    pub product: String,
    pub order: String,
    pub payment: String,
}

impl Sources {
    /// The SQLite files of a shop in one process.
    pub fn in_folder(folder: &Path) -> Sources {
        // Not read-only: the log beside a file that nobody has open must be read into it first.
        let url = |name: &str| format!("sqlite://{}?mode=rw", folder.join(name).display());
        Sources {
            user: url("user.db"),
            product: url("product.db"),
            order: url("order.db"),
            payment: url("payment.db"),
        }
    }
}

/// What an audit found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Every broken invariant, a line each.
    pub broken: Vec<Broken>,
    /// What is still on its way.
    pub unsettled: Vec<String>,
    pub counted: Counted,
}

/// An invariant that does not hold, by name, and where: ids and numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    pub invariant: &'static str,
    pub line: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.line)
    }
}

/// How much was looked at: an audit of nothing proves nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    pub users: usize,
    pub products: usize,
    pub reservations: usize,
    pub orders: usize,
    pub payments: usize,
    pub charges: usize,
    pub events: usize,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counted { users, products, reservations, orders, payments, charges, events } = self;
        write!(
            f,
            "{users} users, {products} products, {reservations} reservations, {orders} orders, \
             {payments} payments, {charges} charges, {events} events"
        )
    }
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.broken.is_empty() && self.unsettled.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for broken in &self.broken {
            writeln!(f, "broken    {broken}")?;
        }
        for unsettled in &self.unsettled {
            writeln!(f, "unsettled {unsettled}")?;
        }
        write!(f, "{}: {}", self.counted, if self.is_clean() { "clean" } else { "not clean" })
    }
}

/// Audits what is there now.
pub async fn now(sources: &Sources) -> anyhow::Result<Report> {
    let books = read::all(sources).await?;
    Ok(examine(&books))
}

/// Audits once nothing is on its way any more, or at the deadline; then what is still on its way is told.
pub async fn settled(sources: &Sources, deadline: Duration) -> anyhow::Result<Report> {
    let end = Instant::now() + deadline;
    loop {
        let report = now(sources).await?;
        if report.unsettled.is_empty() || Instant::now() >= end {
            return Ok(report);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The list of all invariants.
fn examine(books: &Books) -> Report {
    let mut found = Vec::new();
    stock::examine(books, &mut found);
    reservations::examine(books, &mut found);
    orders::examine(books, &mut found);
    events::examine(books, &mut found);
    payments::examine(books, &mut found);
    keys::examine(books, &mut found);
    users::examine(books, &mut found);
    found.sort();
    Report { broken: found, unsettled: unsettled::list(books, clock::wall_ms()), counted: books.counted() }
}

/// Notes an invariant that does not hold.
fn note(found: &mut Vec<Broken>, invariant: &'static str, line: String) {
    found.push(Broken { invariant, line });
}
