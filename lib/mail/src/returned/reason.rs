//! Removes addresses from the words of mail servers, because these words go to ledgers and logs.

/// The longest reason that is kept, in characters.
const KEPT: usize = 200;
/// The number of local parts that are searched for.
const LOCALS: usize = 16;
/// The longest local part (RFC 5321, section 4.5.3.1.1), in bytes.
const LONGEST: usize = 64;
/// The ways to write an `@`.
const ATS: [&str; 6] = ["@", "\u{ff20}", "\u{fe6b}", "%40", "=40", "&#64;"];
/// The replacement for an address.
const BLOT: &str = "…";

/// The local parts of the addresses in a text, which stand before the `@`. Mail servers also name
/// people by the local part alone.
pub fn locals(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (before, _) in text.match_indices('@').map(|(at, _)| text.split_at(at)) {
        let in_local = |c: char| c.is_alphanumeric() || "._+-=".contains(c);
        let start = before
            .rfind(|c: char| !in_local(c))
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

/// The text [`without_names`], or a placeholder if no text is left.
pub fn reason(text: &str, locals: &[String]) -> String {
    let kept = without_names(text, locals);
    if kept.is_empty() { "no reason given".to_owned() } else { kept }
}

/// `text` on one line, without addresses and without `locals`. All of it is ASCII except the blots.
pub fn without_names(text: &str, locals: &[String]) -> String {
    let words: Vec<_> = text.split_whitespace().take(KEPT).collect();
    let is_address = |word: &str| ATS.iter().any(|at| word.contains(at));
    let mut kept = String::new();
    for (place, word) in words.iter().enumerate() {
        // An address may have blanks around its `@`, as in `ada @ mail.example`.
        let next = words.get(place + 1);
        let last = place.checked_sub(1).and_then(|place| words.get(place));
        let personal = is_address(word)
            || next.is_some_and(|next| next.starts_with('@'))
            || last.is_some_and(|last| last.ends_with('@'))
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

/// Whether `word` contains `local`, not as a part of a longer name.
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
    fn a_reason_names_no_person() {
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
