//! AdjustStock: a delivery, a count, a loss. Once for a key, also where the first try crashed on its way.

use proto::product::v1::{AdjustStockRequest, Stock};
use shared::error::{Code, Error, Result, Violation};
use shared::store::idempotency::{self, Claim, Key, Known};
use shared::{crash, transaction};

use super::no_such_product;
use crate::model::{product, stock, stock_move};
use crate::svc::ServiceContext;

const MOST: i64 = 1_000_000;

pub(crate) async fn adjust_stock(ctx: &ServiceContext, req: AdjustStockRequest) -> Result<Stock> {
    check(&req)?;
    let request = serde_json::to_vec(&(&req.product_id, req.delta, &req.reason)).map_err(Error::internal)?;
    let key = Key::new(&req.user_id, "adjust_stock", &req.idempotency_key, &request)?;
    match idempotency::begin(&ctx.db, &key, ctx.config.idempotency.lease).await? {
        Known::Done(answer) => {
            let (on_hand, reserved) = serde_json::from_str(&answer).map_err(Error::internal)?;
            Ok(Stock { product_id: req.product_id, on_hand, reserved, available: on_hand - reserved })
        }
        Known::Claimed(claim) => {
            crash::point("before_stock_adjusted");
            let adjusted = adjust(ctx, &req, &claim).await;
            crash::point("after_stock_adjusted");
            if adjusted.is_err()
                && let Err(error) = idempotency::release(&ctx.db, &claim).await
            {
                tracing::warn!(error = error.chain(), "an idempotency key is free after its lease alone");
            }
            adjusted
        }
    }
}

async fn adjust(ctx: &ServiceContext, req: &AdjustStockRequest, claim: &Claim) -> Result<Stock> {
    transaction!(ctx.db, |tx| {
        let fits = stock::adjust(tx, &req.product_id, req.delta).await?;
        let product = product::by_id_in(tx, &req.product_id).await?.ok_or_else(no_such_product)?;
        if !fits {
            let detail =
                format!("{} are on hand, and {} of them reserved", product.on_hand, product.reserved);
            return Err(Error::new(Code::Conflict, "out_of_stock", detail));
        }
        stock_move::insert(tx, &req.product_id, req.delta, req.reason.trim(), &claim.subject).await?;
        let answer = serde_json::to_string(&(product.on_hand, product.reserved)).map_err(Error::internal)?;
        idempotency::finish(tx, claim, &answer).await?;
        Ok(product.into())
    })
}

fn check(req: &AdjustStockRequest) -> Result<()> {
    let mut faults = Vec::new();
    if !(1..=36).contains(&req.user_id.len()) {
        faults.push(Violation::new("/user_id", "must have 1 to 36 bytes"));
    }
    if req.delta == 0 || !(-MOST..=MOST).contains(&req.delta) {
        faults.push(Violation::new("/delta", format!("must be from -{MOST} to {MOST}, and not 0")));
    }
    if !(1..=200).contains(&req.reason.trim().chars().count()) {
        faults.push(Violation::new("/reason", "must have 1 to 200 characters"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}
