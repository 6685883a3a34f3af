//! Users: no password and no token is kept as it is, and of each login one token at most is good.

use std::collections::BTreeMap;

use super::books::Books;
use super::{Broken, note};

pub(super) fn examine(books: &Books, found: &mut Vec<Broken>) {
    for (id, user) in &books.users {
        if !user.password_hash.starts_with("$argon2id$") {
            note(found, "user.password", format!("user {id}: the password is not hashed with Argon2id"));
        }
    }
    let mut good = BTreeMap::<&str, usize>::new();
    for token in &books.tokens {
        *good.entry(&token.family).or_default() += usize::from(token.is_good);
        // SHA-256 in hexadecimal; a token itself is shorter.
        if token.hash.len() != 64 || !token.hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            note(found, "token.hash", format!("family {}: a token is not hashed", token.family));
        }
    }
    for (family, good) in good.into_iter().filter(|(_, good)| *good > 1) {
        note(found, "token.good", format!("family {family}: {good} tokens are good at once"));
    }
}
