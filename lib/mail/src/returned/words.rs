//! The words by which mail servers say why, where their code does not.

mod lists;
mod pairs;

use lists::{
    BLOCKED, DISABLED, EXPIRED, FULL, MAILBOX_UNAVAILABLE, NO_ANSWER, NO_HOST, NO_MAILBOX, QUOTA,
    REFUSED, SENDER, TOO_LARGE,
};
pub use pairs::Pair;

use super::codes;
use super::text::{has_any, joined, sentences};

/// The status code that words stand for: its subject and detail, and whether the failure lasts.
struct Meaning {
    detail: &'static str,
    /// The class where no code gives one.
    class: char,
    phrases: &'static [&'static str],
    pair: Option<&'static Pair>,
}

const fn meaning_of(
    detail: &'static str,
    class: char,
    phrases: &'static [&'static str],
    pair: Option<&'static Pair>,
) -> Meaning {
    Meaning { detail, class, phrases, pair }
}

/// The first meaning that fits counts: a full mailbox is named together with everything else, and
/// `not found` may be said of a host.
const MEANINGS: &[Meaning] = &[
    meaning_of("2.2", '5', FULL, Some(&pairs::FULL)),
    meaning_of("1.8", '5', SENDER, None),
    meaning_of("1.2", '5', NO_HOST, Some(&pairs::NO_HOST)),
    meaning_of("2.1", '5', DISABLED, Some(&pairs::DISABLED)),
    meaning_of("4.7", '4', EXPIRED, None),
    meaning_of("1.1", '5', NO_MAILBOX, Some(&pairs::NO_MAILBOX)),
    meaning_of("3.4", '5', TOO_LARGE, None),
    meaning_of("7.1", '5', REFUSED, None),
    meaning_of("4.1", '4', NO_ANSWER, None),
    meaning_of("1.1", '5', MAILBOX_UNAVAILABLE, None),
    meaning_of("2.2", '5', QUOTA, None),
];

/// The code of a letter that was tried for long, in vain.
const TRIED_FOR_LONG: &str = "4.4.7";
/// Words of trying, which make a duration the time that the mail server tried.
const TRIED: &[&str] =
    &["try", "tried", "attempt", "retr", "queue", "deliver", "abandon", "stopped", "aborted"];
/// Units of durations.
const UNITS: &[&str] = &["hour", "day", "minutes", "seconds"];

/// A more exact code than `status` if `status` names only its class or subject and `words` tell
/// more. A code of policy stays.
pub fn refined(status: String, words: &str) -> String {
    if !codes::is_general(&status) || status.get(1..) == Some(".7.0") {
        return status;
    }
    match meaning(words) {
        Some(meaning) => format!("{}.{}", &status[..1], meaning.detail),
        None => status,
    }
}

/// The code that `words` without any code stand for.
pub fn status(words: &str) -> Option<String> {
    let found = meaning(words);
    // That the host did not answer is said of the last attempt.
    if found.is_none_or(|of| of.detail == "4.1") && tried_for_long(&joined(words)) {
        return Some(TRIED_FOR_LONG.to_owned());
    }
    found.map(|meaning| format!("{}.{}", meaning.class, meaning.detail))
}

/// The code that `words` stand for in a notice of a delay. How long the server tries is no code then.
pub fn of_delay(words: &str) -> Option<String> {
    let found = meaning(words).filter(|of| of.detail != "4.7");
    found.map(|meaning| format!("4.{}", meaning.detail))
}

/// Whether a sentence says for how many hours or days the mail server tried.
fn tried_for_long(words: &str) -> bool {
    sentences(words).any(|sentence| {
        let mut last = "";
        let has_duration = sentence.split(' ').any(|word| {
            let is_unit = UNITS.iter().any(|unit| word.starts_with(unit));
            let is_number = last.starts_with(|c: char| c.is_ascii_digit());
            last = word;
            is_unit && is_number
        });
        has_duration && has_any(sentence, TRIED)
    })
}

/// Whether words say that the sender is blocked.
pub fn blocks(words: &str) -> bool {
    has_any(&joined(words), BLOCKED)
}

fn meaning(words: &str) -> Option<&'static Meaning> {
    let words = joined(words);
    MEANINGS.iter().find(|meaning| {
        has_any(&words, meaning.phrases) || meaning.pair.is_some_and(|pair| pair.stands_in(&words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_refine_a_general_code_only() {
        let refine = |status: &str, words| refined(status.to_owned(), words);
        assert_eq!(refine("5.0.0", "Mailbox\r\n  Full"), "5.2.2");
        assert_eq!(refine("5.1.0", "Mailbox full"), "5.2.2");
        assert_eq!(refine("4.0.0", "the user is over quota"), "4.2.2");
        assert_eq!(refine("5.7.1", "mailbox full"), "5.7.1");
        assert_eq!(refine("5.7.0", "user unknown"), "5.7.0");
        assert_eq!(refine("5.0.0", "no"), "5.0.0");
    }

    #[test]
    fn words_stand_for_a_code() {
        for (words, code) in [
            ("Mailbox size limit exceeded", Some("5.2.2")),
            ("552 Message size exceeds the limit", Some("5.3.4")),
            ("Host or domain name not found", Some("5.1.2")),
            ("retry timeout exceeded", Some("4.4.7")),
            ("max@mail.example. That is not a valid user here.", Some("5.1.1")),
            ("connect: Connection\n timed out", Some("4.4.1")),
            ("blocked using zen.spamhaus.org", Some("5.7.1")),
            ("hello", None),
        ] {
            assert_eq!(status(words).as_deref(), code, "{words}");
        }
    }
}
