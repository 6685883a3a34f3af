//! The conditional headers of RFC 9110, 13: `If-None-Match` for reading, `If-Match` for changing.

/// Whether `If-None-Match` names `tag`, so that the answer is a 304. Weak tags count (13.1.2).
pub fn is_known(if_none_match: &str, tag: impl std::fmt::Display) -> bool {
    let tag = tag.to_string();
    if_none_match.trim() == "*"
        || if_none_match.split(',').any(|one| {
            let one = one.trim();
            unquote(one.strip_prefix("W/").unwrap_or(one)) == Some(tag.as_str())
        })
}

/// The version that `If-Match` expects, where it names a single one. Weak tags do not count (13.1.1).
pub fn expected_version(if_match: &str) -> Option<i64> {
    unquote(if_match.trim())?.parse().ok()
}

fn unquote(tag: &str) -> Option<&str> {
    tag.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_clients_send_them() {
        for known in ["\"7\"", " W/\"7\" ", "\"6\", \"7\"", "*"] {
            assert!(is_known(known, 7), "{known}");
        }
        for unknown in ["", "7", "\"70\"", "\"7", "W/7"] {
            assert!(!is_known(unknown, 7), "{unknown}");
        }
        assert_eq!(expected_version(" \"7\""), Some(7));
        for none in ["7", "W/\"7\"", "*", "\"x\"", "\"7\", \"8\"", "\""] {
            assert_eq!(expected_version(none), None, "{none}");
        }
    }
}
