//! Looks phrases up in text that is joined on one line and in lower case.

/// The number of places of a phrase that are looked at. No honest sentence has so many.
const PLACES: usize = 100;

/// `text` in lower case on one line, with plain apostrophes.
pub fn joined(text: &str) -> String {
    let lower = text.to_lowercase().replace(['\u{2018}', '\u{2019}', '\u{b4}'], "'");
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `text` has one of `phrases`.
pub fn has_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| text.contains(phrase))
}

/// The sentences of `text`, which is [`joined`]. A dot within a word belongs to an address or a
/// number.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let ends = text.match_indices(['.', '!', '?', ';', '。']).map(|(at, end)| at + end.len());
        let cut =
            ends.into_iter().find(|at| text[*at..].starts_with(' ') || text[..*at].ends_with('。'));
        let (sentence, after) = cut.map_or((text, None), |at| (&text[..at], Some(&text[at..])));
        rest = after;
        Some(sentence)
    })
}

/// The places of `phrases` in `text`, at the edges of words.
pub fn places(text: &str, phrases: &[&str]) -> Vec<(usize, usize)> {
    let found = phrases.iter().flat_map(|phrase| {
        let (stem, is_whole) = phrase.strip_suffix('*').map_or((*phrase, true), |s| (s, false));
        text.match_indices(stem).map(move |(at, _)| (at, at + stem.len(), is_whole))
    });
    let at_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let whole = found.filter(|(begin, end, is_whole)| {
        at_edge(text[..*begin].chars().next_back())
            && (!is_whole || at_edge(text[*end..].chars().next()))
    });
    whole.take(PLACES).map(|(begin, end, _)| (begin, end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_within_a_word_ends_no_sentence() {
        let text = joined("Mail to kai@mail.example\r\n was rejected (5.1.1). Sorry!  Bye");
        let found: Vec<_> = sentences(&text).collect();
        assert_eq!(found, ["mail to kai@mail.example was rejected (5.1.1).", " sorry!", " bye"]);
        assert_eq!(sentences("").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn phrases_stand_at_the_edges_of_words() {
        assert_eq!(places("fully full, full", &["full"]), [(6, 10), (12, 16)]);
        assert_eq!(places("it exceeded", &["exceed*", "it"]), [(3, 9), (0, 2)]);
        assert_eq!(places("unfull", &["full*"]), []);
        assert_eq!(places(&"full ".repeat(1_000), &["full"]).len(), PLACES);
    }
}
