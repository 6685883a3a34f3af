//! AdjustStock: a delivery, a count, a loss. Once for a key.

use std::time::Duration;

use proto::product::v1::{AdjustStockRequest, Stock};
use shared::error::{Code, Error, Result, Violation};
use shared::store::idempotency::{self, Claim, Key, Known};
use shared::transaction;

use super::no_such_product;
use crate::model::{product, stock_move};
use crate::svc::ServiceContext;

const MOST: i64 = 1_000_000;
/// One transaction; a crash frees the key after this.
const LEASE: Duration = Duration::from_secs(10);

pub(crate) async fn adjust_stock(ctx: &ServiceContext, req: AdjustStockRequest) -> Result<Stock> {
    check(&req)?;
    let route = format!("adjust_stock:{}", req.product_id);
    let request = format!("{}\n{}", req.delta, req.reason);
    let key = Key::new(&req.user_id, &route, &req.idempotency_key, request.as_bytes())?;
    match idempotency::begin(&ctx.db, &key, LEASE).await? {
        Known::Done(answer) => {
            let (on_hand, reserved) = serde_json::from_str(&answer).map_err(Error::internal)?;
            Ok(stock(req.product_id, on_hand, reserved))
        }
        Known::Claimed(claim) => {
            let done = adjust(ctx, &req, &claim).await;
            if done.is_err() {
                idempotency::release(&ctx.db, &claim).await?;
            }
            done
        }
    }
}

async fn adjust(ctx: &ServiceContext, req: &AdjustStockRequest, claim: &Claim) -> Result<Stock> {
    transaction!(ctx.db, |tx| {
        let fits = product::adjust(tx, &req.product_id, req.delta).await?;
        let product = product::by_id_in(tx, &req.product_id).await?.ok_or_else(no_such_product)?;
        if !fits {
            let detail = format!("{} are on hand and {} reserved", product.on_hand, product.reserved);
            return Err(Error::new(Code::Conflict, "out_of_stock", detail));
        }
        stock_move::insert(tx, &req.product_id, req.delta, &req.reason, &claim.subject).await?;
        let answer = serde_json::to_string(&(product.on_hand, product.reserved)).map_err(Error::internal)?;
        idempotency::finish(tx, claim, &answer).await?;
        Ok(product.into())
    })
}

fn stock(product_id: String, on_hand: i64, reserved: i64) -> Stock {
    Stock { product_id, on_hand, reserved, available: on_hand - reserved }
}

fn check(req: &AdjustStockRequest) -> Result<()> {
    let mut faults = Vec::new();
    if req.delta == 0 || req.delta.abs() > MOST {
        faults.push(Violation::new("/delta", format!("must be from -{MOST} to {MOST}, and not 0")));
    }
    if !(1..=200).contains(&req.reason.trim().chars().count()) {
        faults.push(Violation::new("/reason", "must have 1 to 200 characters"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}
