//! The reconciler: asks the provider what became of payments whose answer was lost or is not known yet, and pays back what
//! is owed. A claim keeps instances from asking twice; that nothing happens twice is held by the guarded updates.

use std::time::Duration;

use futures_util::future::join_all;
use shared::error::{BoxError, Result};
use shared::lifecycle::Lifecycle;
use shared::{clock, crash, transaction};
use uuid::Uuid;

use crate::logic::{pay_back, settle};
use crate::model::payment::{self, Claim, Payment, Status};
use crate::provider::Outcome;
use crate::svc::ServiceContext;

pub(super) fn start(ctx: &ServiceContext, lifecycle: &Lifecycle) {
    let reconciler = Reconciler { ctx: ctx.clone(), name: Uuid::now_v7().to_string() };
    let owner = lifecycle.clone();
    lifecycle.spawn("reconcile payments", async move {
        let conf = &reconciler.ctx.config.reconcile;
        while owner.pause(conf.every).await {
            loop {
                let worked = tokio::select! {
                    worked = reconciler.work() => worked,
                    // Claims run out.
                    () = owner.stopping() => return Ok(()),
                };
                match worked {
                    Ok(count) if count < conf.batch => break,
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(error = error.chain(), "payments are not reconciled for now");
                        break;
                    }
                }
            }
        }
        Ok::<(), BoxError>(())
    });
}

struct Reconciler {
    ctx: ServiceContext,
    name: String,
}

impl Reconciler {
    /// How many payments were asked about.
    async fn work(&self) -> Result<usize> {
        if !payment::any_due(&self.ctx.db, clock::wall_ms()).await? {
            return Ok(0);
        }
        let claimed = self.claim().await?;
        join_all(claimed.iter().map(|payment| self.ask(payment))).await;
        Ok(claimed.len())
    }

    async fn claim(&self) -> Result<Vec<Payment>> {
        let conf = &self.ctx.config.reconcile;
        let now = clock::wall_ms();
        let claim = Claim { owner: &self.name, until: now + conf.claim.as_millis() as i64 };
        transaction!(self.ctx.db, |tx| {
            let mut claimed = Vec::new();
            for payment in payment::due(tx, now, conf.batch).await? {
                let wait = back_off(conf.after, payment.checks, conf.back_off);
                if payment::claim(tx, &payment, &claim, now + wait.as_millis() as i64).await? {
                    claimed.push(payment);
                }
            }
            Ok(claimed)
        })
    }

    async fn ask(&self, payment: &Payment) {
        let asked = match payment.status {
            Status::RefundPending => pay_back::pay_back(&self.ctx, &payment.id).await,
            _ => self.look_up(&payment.id).await,
        };
        if let Err(error) = asked {
            let checks = payment.checks + 1;
            tracing::warn!(
                payment = payment.id,
                checks,
                error = error.chain(),
                "a payment stays open for now"
            );
        }
        let given_up: Result<()> =
            transaction!(self.ctx.db, |tx| { payment::give_up_claim(tx, &payment.id, &self.name).await });
        if let Err(error) = given_up {
            tracing::warn!(payment = payment.id, error = error.chain(), "a payment stays claimed for now");
        }
    }

    /// A charge that the provider does not know is voided before the order may be paid anew: it may still be on its way.
    async fn look_up(&self, id: &str) -> Result<()> {
        let outcome = match self.ctx.provider.look_up(id).await? {
            Some(outcome) => outcome,
            None => self.ctx.provider.void(id).await?,
        };
        crash::point("after_look_up");
        if outcome != Outcome::Pending {
            settle::settle(&self.ctx, id, &outcome).await?;
            tracing::info!(payment = id, ?outcome, "a payment was reconciled");
        }
        Ok(())
    }
}

/// Twice as long each time.
fn back_off(first: Duration, checks: i64, most: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(checks.clamp(0, 16) as u32)).min(most.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let (first, most) = (Duration::from_secs(1), Duration::from_secs(30));
        let waits: Vec<u64> =
            [0, 1, 2, 5, 9, i64::MAX].map(|checks| back_off(first, checks, most).as_secs()).into();
        assert_eq!(waits, [1, 2, 4, 30, 30, 30]);
    }
}
