//! Register: makes a customer.

use proto::user::v1::{Profile, RegisterRequest};
use shared::error::{Code, Error, Result, Violation};
use shared::format::Format;
use shared::store::sql;
use shared::{clock, transaction};
use uuid::Uuid;

use super::{normalized, profile};
use crate::model::user::{self, User};
use crate::svc::ServiceContext;

pub(crate) async fn register(ctx: &ServiceContext, req: RegisterRequest) -> Result<Profile> {
    create(ctx, &req.email, &req.password, &req.name, "customer").await
}

/// Also makes the accounts that are there from the start.
pub(crate) async fn create(
    ctx: &ServiceContext,
    email: &str,
    password: &str,
    name: &str,
    role: &str,
) -> Result<Profile> {
    let email = normalized(email);
    let name = name.trim();
    check(&email, password, name)?;
    let user = User {
        id: Uuid::now_v7().to_string(),
        email,
        name: name.to_owned(),
        role: role.to_owned(),
        password_hash: ctx.passwords.hash(password).await?,
        created_at: clock::wall_ms(),
    };
    let inserted: Result<()> = transaction!(ctx.db, |tx| { user::insert(tx, &user).await });
    match inserted {
        Ok(()) => Ok(profile(user)),
        Err(error) if sql::is_duplicate(&error) => {
            Err(Error::new(Code::Conflict, "email_taken", "this e-mail address has an account already"))
        }
        Err(error) => Err(error),
    }
}

fn check(email: &str, password: &str, name: &str) -> Result<()> {
    let mut faults = Vec::new();
    if !Format::Email.fits(email) {
        faults.push(Violation::new("/email", "must be an e-mail address of at most 254 characters"));
    }
    if !(12..=128).contains(&password.chars().count()) {
        faults.push(Violation::new("/password", "must have 12 to 128 characters"));
    }
    if !(1..=100).contains(&name.chars().count()) || name.contains(char::is_control) {
        faults.push(Violation::new("/name", "must have 1 to 100 characters in one line"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}
