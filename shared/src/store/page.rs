//! Pages of a list: an opaque token that holds where the last one ended, bound to the filter that it was made with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result, Violation};

const MOST: i32 = 100;
const DEFAULT: i32 = 20;

/// A list's filter and order, as one text: a token is of use for this alone.
pub struct Pages(String);

impl Pages {
    pub fn of(filter: &impl Serialize) -> Pages {
        let text = serde_json::to_vec(filter).expect("a filter is plain data");
        Pages(URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..9]))
    }

    /// Where to go on from; `None` on the first page.
    pub fn cursor<C: DeserializeOwned>(&self, token: &str) -> Result<Option<C>> {
        if token.is_empty() {
            return Ok(None);
        }
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
            let (filter, cursor): (String, C) = serde_json::from_slice(&bytes).ok()?;
            (filter == self.0).then_some(cursor)
        };
        let refused = || Violation::new("/page_token", "is no token of this list and this filter");
        read().map(Some).ok_or_else(|| Error::invalid(vec![refused()]))
    }

    /// Takes the one row too many off, and makes the token of the next page from the last row that stays.
    pub fn cut<T, C: Serialize>(&self, rows: &mut Vec<T>, size: usize, cursor: impl Fn(&T) -> C) -> String {
        if rows.len() <= size {
            return String::new();
        }
        rows.truncate(size);
        let Some(last) = rows.last() else { return String::new() };
        let token = serde_json::to_vec(&(&self.0, cursor(last))).expect("a cursor is plain data");
        URL_SAFE_NO_PAD.encode(token)
    }
}

/// How many rows a page has; ask the database for one more, and [`Pages::cut`] it.
pub fn size(asked: i32) -> Result<usize> {
    match asked {
        0 => Ok(DEFAULT as usize),
        1..=MOST => Ok(asked as usize),
        _ => Err(Error::invalid(vec![Violation::new("/page_size", format!("must be from 1 to {MOST}"))])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_on_where_the_page_ended_and_only_there() {
        let pages = Pages::of(&("tools", "price"));
        let mut rows = vec![1, 2, 3];
        let token = pages.cut(&mut rows, 2, |row| *row);
        assert_eq!(rows, [1, 2]);
        assert_eq!(pages.cursor::<i32>(&token).unwrap(), Some(2));
        assert_eq!(pages.cursor::<i32>("").unwrap(), None);
        assert!(Pages::of(&("toys", "price")).cursor::<i32>(&token).is_err());
        for bad in ["x", "!!", "e30", &token[..token.len() - 1]] {
            assert_eq!(pages.cursor::<i32>(bad).unwrap_err().faults()[0].pointer, "/page_token");
        }
        assert_eq!(pages.cut(&mut rows, 2, |row| *row), "");
    }

    #[test]
    fn sizes_have_a_default_and_bounds() {
        assert_eq!(size(0).unwrap(), 20);
        assert_eq!(size(100).unwrap(), 100);
        assert!(size(101).is_err() && size(-1).is_err());
    }
}
