//! Charges: made once for a key, looked up, voided, refunded, listed.

use std::time::{Duration, UNIX_EPOCH};

use shared::error::{Code, Error, Result};
use shared::store::page::{self, Pages};
use shared::store::sql::{Db, is_duplicate};
use shared::{clock, crash, transaction};
use uuid::Uuid;

use crate::api::types::{self, ChargeList, CreateReq, KeyReq, ListReq};
use crate::card::{self, Fate};
use crate::model::charge::{self, Charge, Status};
use crate::svc::ServiceContext;

pub(crate) async fn create(ctx: &ServiceContext, req: CreateReq) -> Result<types::Charge> {
    let Some(key) = req.idempotency_key.clone() else {
        let detail = "the header Idempotency-Key is required";
        return Err(Error::new(Code::InvalidArgument, "idempotency_key_missing", detail));
    };
    let now = clock::wall_ms();
    let fate = card::fate(&req.card, &rfc3339(now)[..7]);
    let later = i64::try_from(ctx.config.settle_after.as_millis()).unwrap_or(i64::MAX);
    let (status, decline_code, decided_at) = match fate {
        Fate::Succeeds | Fate::Unanswered => (Status::Succeeded, None, now),
        Fate::SucceedsLater => (Status::Succeeded, None, now.saturating_add(later)),
        Fate::Declined(code) => (Status::Declined, Some(code), now),
        Fate::DeclinedLater(code) => (Status::Declined, Some(code), now.saturating_add(later)),
        Fate::Breaks => match charge::by_key(&ctx.db, &key).await? {
            Some(found) => return refuse_reuse(&found),
            None => return Err(Error::internal("the card is one that breaks the provider")),
        },
    };
    let asked = Charge {
        id: String::new(),
        key,
        status,
        decline_code: decline_code.map(str::to_owned),
        amount: req.amount,
        currency: req.currency,
        card_brand: card::brand(&req.card.number).to_owned(),
        card_last4: card::last4(&req.card.number).to_owned(),
        exp_month: req.card.exp_month,
        exp_year: req.card.exp_year,
        reference: req.reference,
        created_at: now,
        decided_at,
    };
    let made = insert_or_find(&ctx.db, &asked).await?;
    if !is_same_request(&made, &asked) {
        return refuse_reuse(&made);
    }
    crash::point("before_provider_answer");
    if fate == Fate::Unanswered {
        return Err(hang(ctx).await);
    }
    Ok(shown(made, now))
}

pub(crate) async fn get(ctx: &ServiceContext, req: KeyReq) -> Result<types::Charge> {
    let found = charge::by_key(&ctx.db, &req.key).await?.ok_or_else(unknown)?;
    Ok(shown(found, clock::wall_ms()))
}

pub(crate) async fn void(ctx: &ServiceContext, req: KeyReq) -> Result<types::Charge> {
    let now = clock::wall_ms();
    let never = Charge {
        id: String::new(),
        key: req.key,
        status: Status::Voided,
        decline_code: None,
        amount: 0,
        currency: String::new(),
        card_brand: String::new(),
        card_last4: String::new(),
        exp_month: 0,
        exp_year: 0,
        reference: String::new(),
        created_at: now,
        decided_at: now,
    };
    Ok(shown(insert_or_find(&ctx.db, &never).await?, now))
}

pub(crate) async fn refund(ctx: &ServiceContext, req: KeyReq) -> Result<types::Charge> {
    let now = clock::wall_ms();
    let found = transaction!(&ctx.db, |tx| {
        charge::refund(tx, &req.key, now).await?;
        charge::by_key_in(tx, &req.key).await
    })?;
    let charge = shown(found.ok_or_else(unknown)?, now);
    if charge.status != Status::Refunded.as_str() {
        let detail = format!("a charge that is {} cannot be refunded", charge.status);
        return Err(Error::new(Code::Conflict, "illegal_transition", detail).with("state", charge.status));
    }
    Ok(charge)
}

pub(crate) async fn list(ctx: &ServiceContext, req: ListReq) -> Result<ChargeList> {
    let pages = Pages::of(&"charges");
    let size = page::size(req.page_size)?;
    let after: String = pages.cursor(&req.page_token.unwrap_or_default())?.unwrap_or_default();
    let mut rows = charge::page(&ctx.db, &after, size as i64 + 1).await?;
    let next = pages.cut(&mut rows, size, |row| row.id.clone());
    let now = clock::wall_ms();
    Ok(ChargeList {
        items: rows.into_iter().map(|row| shown(row, now)).collect(),
        next_page_token: Some(next).filter(|token| !token.is_empty()),
    })
}

/// The charge of this key: the one that is asked for, or whoever's was first.
async fn insert_or_find(db: &Db, asked: &Charge) -> Result<Charge> {
    transaction!(db, |tx| {
        // Made when it is our turn to write, so that the order of ids is that of commits.
        let made = Charge { id: Uuid::now_v7().to_string(), ..asked.clone() };
        match charge::insert(tx, &made).await {
            Ok(()) => Ok(made),
            Err(error) if is_duplicate(&error) => {
                let found = charge::by_key_in(tx, &asked.key).await?;
                found.ok_or_else(|| Error::internal("a key is known and has no row"))
            }
            Err(error) => Err(error),
        }
    })
}

/// By all that is kept of a request. A key that was voided has the amount 0, which no request has.
fn is_same_request(made: &Charge, asked: &Charge) -> bool {
    (made.amount, &made.currency, &made.reference) == (asked.amount, &asked.currency, &asked.reference)
        && (&made.card_brand, &made.card_last4) == (&asked.card_brand, &asked.card_last4)
        && (made.exp_year, made.exp_month) == (asked.exp_year, asked.exp_month)
}

fn refuse_reuse<T>(found: &Charge) -> Result<T> {
    Err(match found.status {
        Status::Voided => Error::new(Code::Conflict, "voided", "this key was voided and is never charged"),
        _ => Error::new(
            Code::Unprocessable,
            "idempotency_key_reused",
            "this Idempotency-Key came with another request before",
        ),
    })
}

fn unknown() -> Error {
    Error::not_found("there is no charge with this key")
}

/// Until the client goes away, for that drops this; or until the time is up, or the provider stops.
async fn hang(ctx: &ServiceContext) -> Error {
    tokio::select! {
        () = tokio::time::sleep(ctx.config.hang_for) => {}
        () = ctx.lifecycle.draining() => {}
    }
    Error::of(Code::DeadlineExceeded, "the card is one that is never answered")
}

/// As it is at `now`.
fn shown(charge: Charge, now: i64) -> types::Charge {
    let decided = charge.is_decided(now);
    types::Charge {
        key: charge.key,
        status: if decided { charge.status.as_str() } else { "pending" }.to_owned(),
        decline_code: charge.decline_code.filter(|_| decided),
        amount: charge.amount,
        currency: charge.currency,
        card_brand: charge.card_brand,
        card_last4: charge.card_last4,
        reference: charge.reference,
        created_at: rfc3339(charge.created_at),
        decided_at: decided.then(|| rfc3339(charge.decided_at)),
    }
}

fn rfc3339(milliseconds: i64) -> String {
    let since = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}
