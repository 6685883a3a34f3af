//! What a contract promises, against what was seen: a route, a status or a code that no test reached is a fault.

use std::collections::BTreeSet;

use apigen::model::{Contract, Route};

use super::Shop;

/// One answer to one request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub method: String,
    /// Without a query.
    pub path: String,
    pub status: u16,
    /// Empty where it is no problem.
    pub code: String,
}

/// Statuses that every route may answer; none of them is in `answers`, and scenarios of their own show them.
const OF_EVERY_ROUTE: [u16; 4] = [429, 500, 503, 504];

impl Shop {
    /// # Panics
    /// Where a route of the contract's group can answer what this shop was not seen to answer, or was seen to answer what
    /// it does not promise.
    #[track_caller]
    pub fn covers(&self, contract: &Contract, group: &str) {
        let seen = self.seen();
        let mut faults = BTreeSet::new();
        for route in contract.routes.iter().filter(|route| route.group == group) {
            let promised = promised(route);
            let reached =
                seen.iter().filter(|one| one.method == route.method && is_of(contract, route, &one.path));
            let reached: BTreeSet<(u16, String)> =
                reached.map(|one| (one.status, one.code.clone())).collect();
            let name = format!("{} {}", route.method, route.pattern);
            for (status, code) in promised.difference(&reached) {
                faults.insert(format!("{name}: nothing reached {status} {code}"));
            }
            for (status, code) in reached.difference(&promised) {
                if !OF_EVERY_ROUTE.contains(status) {
                    faults.insert(format!("{name}: {status} {code} is not among its answers"));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.into_iter().collect::<Vec<_>>().join("\n"));
    }
}

fn promised(route: &Route) -> BTreeSet<(u16, String)> {
    let mut all = BTreeSet::new();
    for answers in &route.answers {
        if answers.codes.is_empty() {
            all.insert((answers.status, String::new()));
        }
        all.extend(answers.codes.iter().map(|code| (answers.status, code.clone())));
    }
    all
}

/// Of several patterns that fit, a path belongs to the one with fewer parameters.
fn is_of(contract: &Contract, route: &Route, path: &str) -> bool {
    fits(&route.pattern, path)
        && !contract.routes.iter().any(|other| {
            other.method == route.method
                && parameters(&other.pattern) < parameters(&route.pattern)
                && fits(&other.pattern, path)
        })
}

fn parameters(pattern: &str) -> usize {
    pattern.matches('{').count()
}

fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern.iter().zip(path).all(|(pattern, path)| pattern.starts_with('{') || *pattern == path)
}
