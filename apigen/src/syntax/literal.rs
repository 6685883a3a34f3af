//! What a quoted text means.

/// Without its quotes, and with what its escapes stand for. Unknown escapes were refused before.
pub(crate) fn meaning(source: &str) -> String {
    if source.starts_with('`') {
        return inside(source, '`').to_owned();
    }
    let mut meaning = String::with_capacity(source.len());
    let mut letters = inside(source, '"').chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => meaning.extend(letters.next().and_then(escaped)),
            letter => meaning.push(letter),
        }
    }
    meaning
}

/// The first escape that means nothing: where it is in `source`, and its length.
pub(crate) fn unknown_escape(source: &str) -> Option<(usize, usize)> {
    if source.starts_with('`') {
        return None;
    }
    let mut letters = source.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            let Some((_, letter)) = letters.next() else { return Some((at, 1)) };
            if escaped(letter).is_none() {
                return Some((at, 1 + letter.len_utf8()));
            }
        }
    }
    None
}

/// Whether each byte of the text stands for itself.
pub(crate) fn is_plain(source: &str) -> bool {
    source.starts_with('`') || !source.contains('\\')
}

fn escaped(letter: char) -> Option<char> {
    match letter {
        '"' | '\\' => Some(letter),
        'n' => Some('\n'),
        't' => Some('\t'),
        _ => None,
    }
}

/// The last quote is missing where the text had no end.
fn inside(source: &str, quote: char) -> &str {
    let source = source.strip_prefix(quote).unwrap_or(source);
    source.strip_suffix(quote).unwrap_or(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_mean_what_they_stand_for() {
        assert_eq!(meaning(r#""a\"b\\\n""#), "a\"b\\\n");
        assert_eq!(meaning(r"`a\n`"), r"a\n");
        assert_eq!(unknown_escape(r#""a\d""#), Some((2, 2)));
        assert_eq!(unknown_escape(r#""a\"b""#), None);
    }
}
