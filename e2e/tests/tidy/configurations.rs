//! The configuration files: each parses, with no key that nothing reads, in the environment of a new user.

use shared::config::{self, Config};

use super::{files, members, no_faults, root, shown};

/// What a file of the crate's `etc` is read as.
fn parse(member: &str, path: &str, text: &str) -> Option<Result<(), config::Error>> {
    fn as_a<C: Config>(path: &str, text: &str) -> Result<(), config::Error> {
        config::parse::<C>(path, text, &|_| None).map(|_| ())
    }
    Some(match member {
        "mall" => as_a::<mall::config::Config>(path, text),
        "order-api" => as_a::<order_api::config::Config>(path, text),
        "order-rpc" => as_a::<order_rpc::config::Config>(path, text),
        "payment-sim" => as_a::<payment_sim::config::Config>(path, text),
        "product-rpc" => as_a::<product_rpc::config::Config>(path, text),
        "user-rpc" => as_a::<user_rpc::config::Config>(path, text),
        _ => return None,
    })
}

#[test]
fn every_configuration_file_is_one() {
    let mut faults = Vec::new();
    for member in members() {
        let folder = root().join(&member).join("etc");
        if !folder.exists() {
            continue;
        }
        for path in files(&folder, ".yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            match parse(&member, &shown(&path), &text) {
                Some(Ok(())) => {}
                Some(Err(error)) => faults.push(error.to_string()),
                None => faults.push(format!("{}: tell {} what it is", shown(&path), file!())),
            }
        }
    }
    no_faults(faults);
}
