//! Register: makes a customer.

use proto::user::v1::{Profile, RegisterRequest};
use shared::error::{Code, Error, Result, Violation};
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
    if !is_email(email) {
        faults.push(Violation::new("/email", "must be an e-mail address of at most 254 characters"));
    }
    if !(12..=128).contains(&password.chars().count()) {
        faults.push(Violation::new("/password", "must have 12 to 128 characters"));
    }
    if !(1..=100).contains(&name.chars().count()) {
        faults.push(Violation::new("/name", "must have 1 to 100 characters"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}

/// As browsers check `<input type="email">` (WHATWG HTML).
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_local = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254 && !local.is_empty() && local.chars().all(is_local) && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn addresses_are_what_a_browser_takes() {
        for good in ["a@b", "anna.o'neil+shop@mail.example.com", "x@1.2"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b..c",
            "a@-b",
            "a@b@c",
            "ä@b",
            &format!("{}@b.c", "a".repeat(251)),
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
