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

/// What `If-Match` lets pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// `*`: whatever there is.
    Any,
    /// One of these versions; of none where no tag can be one.
    OneOf(Vec<i64>),
}

impl Expected {
    /// Weak tags do not count (13.1.1), and a tag is compared letter by letter: `"07"` is no version.
    pub fn parse(if_match: &str) -> Expected {
        if if_match.trim() == "*" {
            return Expected::Any;
        }
        let version = |tag: &str| {
            let tag = unquote(tag.trim())?;
            tag.parse::<i64>().ok().filter(|version| version.to_string() == tag)
        };
        Expected::OneOf(if_match.split(',').filter_map(version).collect())
    }

    pub fn fits(&self, version: i64) -> bool {
        match self {
            Expected::Any => true,
            Expected::OneOf(versions) => versions.contains(&version),
        }
    }
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
        let versions = |text: &str| match Expected::parse(text) {
            Expected::OneOf(versions) => versions,
            Expected::Any => panic!("{text} is not any"),
        };
        assert_eq!(versions(" \"7\""), [7]);
        assert_eq!(versions("\"7\",W/\"6\", \"x\" ,\"8\""), [7, 8]);
        for none in ["", "7", "W/\"7\"", "\"*\"", "\"x\"", "\"07\"", "\"+7\"", "\""] {
            assert_eq!(versions(none), [0; 0], "{none}");
        }
        assert_eq!(Expected::parse(" *"), Expected::Any);
        assert!(Expected::Any.fits(7) && Expected::OneOf(vec![6, 7]).fits(7));
        assert!(!Expected::OneOf(vec![6]).fits(7));
    }
}
