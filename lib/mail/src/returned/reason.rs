//! The words that are kept of a report. They go to ledgers and logs, where no address stands.

/// The longest reason, in characters.
const KEPT: usize = 200;
/// So many people are looked for by name.
const LOCALS: usize = 16;
/// The longest part before an `@` (RFC 5321, section 4.5.3.1.1).
const LONGEST: usize = 64;
/// How an `@` is written otherwise.
const ATS: [&str; 6] = ["@", "\u{ff20}", "\u{fe6b}", "%40", "=40", "&#64;"];
const BLOT: &str = "…";

/// The parts before the `@` of the addresses in a text: mail servers name people by them as well.
pub fn locals(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (before, _) in text.match_indices('@').map(|(at, _)| text.split_at(at)) {
        let of_it = |c: char| c.is_alphanumeric() || "._+-=".contains(c);
        let start = before
            .rfind(|c: char| !of_it(c))
            .map_or(0, |other| other + before[other..].chars().next().map_or(1, char::len_utf8));
        let local = before[start..].to_lowercase();
        if found.len() == LOCALS {
            break;
        }
        if local.len() <= LONGEST && local.chars().nth(1).is_some() && !found.contains(&local) {
            found.push(local);
        }
    }
    found
}

/// [`without_names`], or that there is nothing.
pub fn reason(text: &str, locals: &[String]) -> String {
    let kept = without_names(text, locals);
    if kept.is_empty() { "no reason given".to_owned() } else { kept }
}

/// `text` on one line, in ASCII but for the blots, without addresses and without `locals`.
pub fn without_names(text: &str, locals: &[String]) -> String {
    let words: Vec<_> = text.split_whitespace().take(KEPT).collect();
    let is_address = |word: &str| ATS.iter().any(|at| word.contains(at));
    let mut kept = String::new();
    for (place, word) in words.iter().enumerate() {
        // `ada @ mail.example` is an address as well.
        let touched = |other: Option<&&str>, open: fn(&str) -> bool| other.is_some_and(|o| open(o));
        let personal = is_address(word)
            || touched(words.get(place + 1), |next| next.starts_with('@'))
            || touched(place.checked_sub(1).and_then(|p| words.get(p)), |last| last.ends_with('@'))
            || locals.iter().any(|local| names(word, local));
        let word = if personal {
            if kept.ends_with(BLOT) {
                continue;
            }
            BLOT.to_owned()
        } else {
            word.chars().filter(char::is_ascii_graphic).take(KEPT).collect()
        };
        if !word.is_empty() {
            if !kept.is_empty() {
                kept.push(' ');
            }
            kept.push_str(&word);
        }
    }
    let kept: String = kept.chars().take(KEPT).collect();
    kept.trim_end().to_owned()
}

/// Whether `local` stands in `word`, by itself.
fn names(word: &str, local: &str) -> bool {
    let word = word.to_lowercase();
    let at_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    word.match_indices(local).any(|(at, _)| {
        at_edge(word[..at].chars().next_back()) && at_edge(word[at + local.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_named() {
        let locals = locals("rfc822;Ada.L@mail.example, <bo@x> \u{e9}@y x@z");
        assert_eq!(locals, ["ada.l", "bo"]);
        for (text, kept) in [
            ("550 <Ada.L@mail.example>: User ada.l\r\n unknown", "550 … User … unknown"),
            ("/home/Ada.L/Maildir is over quota; bored", "… is over quota; bored"),
            ("ada @ mail.example or ada@ mail.example gone", "… or … gone"),
            ("see http://x/?to=ada%40x a\u{ff20}b now", "see … now"),
            ("\u{7}bell \u{e9}t\u{e9} \u{1}", "bell t"),
            ("  ", "no reason given"),
        ] {
            assert_eq!(reason(text, &locals), kept, "{text:?}");
        }
        let long = reason(&"word ".repeat(1000), &locals);
        assert!(long.chars().count() <= KEPT && long.ends_with("word"), "{long}");
        assert_eq!(reason(&"x".repeat(1000), &locals).len(), KEPT);
    }
}
