//! What somebody may have meant.

/// Longer words are no slips of a hand.
const LONGEST: usize = 64;

/// "did you mean `x`?", where one of `known` is near enough.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    known
        .into_iter()
        .filter(|known| known.len() <= LONGEST)
        .map(|known| (strsim::damerau_levenshtein(&word, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .min()
        .map(|(_, known)| format!("did you mean `{known}`?"))
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_other_words_are_not() {
        let known = ["prefix", "group", "jwt"];
        assert_eq!(did_you_mean("perfix", known).as_deref(), Some("did you mean `prefix`?"));
        assert_eq!(did_you_mean("JWT", known).as_deref(), Some("did you mean `jwt`?"));
        assert_eq!(did_you_mean("colour", known), None);
        assert_eq!(did_you_mean("B", ["A"]), None);
    }

    #[test]
    fn lists_end_in_or() {
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(one_of(&["a"]), "`a`");
    }
}
