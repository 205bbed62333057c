//! Names that a letter may show. A name is the only text in a letter that no approver has read: the
//! customer wrote it, or an attacker who changed the customers' table. A name that could be a
//! message of its own is left out.

/// The longest name that is shown, in characters.
const LONGEST: usize = 60;
/// The largest number of digits in a name. More digits may be a telephone number.
const DIGITS: usize = 6;
/// Characters of addresses, numbers and markup that no name has, and their look-alikes in other
/// widths.
const FOREIGN: &str =
    "/\\@:<>[]{}|=#%?!*~^\u{2044}\u{2215}\u{2024}\u{3002}\u{FF0E}\u{FF0F}\u{FF1A}\u{FF20}";

/// Whether a letter may show `name`.
pub fn is_presentable(name: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
            || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E000}'..='\u{F8FF}')
    };
    !name.trim().is_empty()
        && name.chars().count() <= LONGEST
        && !name.contains(|c: char| hidden(c) || FOREIGN.contains(c))
        && name.chars().filter(|c| c.is_numeric()).count() <= DIGITS
        && !name.split(|c: char| c.is_whitespace() || c == ',').any(is_host)
}

/// Whether a mail reader would turn the word into a link.
fn is_host(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let Some((before, last)) = word.rsplit_once('.') else { return false };
    !before.is_empty() && last.chars().count() > 1 && last.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_presentable_and_messages_are_not() {
        for name in [
            "Ada Lovelace",
            "J.R.R. Tolkien",
            "O\u{2019}Brien-Smith, Jr.",
            "\u{674e}\u{5c0f}\u{9f99}",
            "Person 199999",
            "Anna \"Nan\" M\u{fc}ller & S\u{f6}hne",
            "Dr. Mar\u{ed}a del Carmen",
        ] {
            assert!(is_presentable(name), "{name:?}");
        }
        let long = "a".repeat(LONGEST + 1);
        for text in [
            "",
            " ",
            "Customer: your letter is at evil.example/claim",
            "visit evil.example now",
            "t.co",
            "mail me@x",
            "call +1 900 555 0100",
            "Ada\u{202e}ecalevoL",
            "Ada\r\nBcc: x",
            "<b>Ada</b>",
            "evil\u{ff0e}example",
            "Ada\u{e001}",
            &long,
        ] {
            assert!(!is_presentable(text), "{text:?}");
        }
    }
}
