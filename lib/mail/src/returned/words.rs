//! The words by which mail servers say why, where their code does not.

mod lists;

use lists::{
    BLOCKED, DISABLED, EXPIRED, FULL, MAILBOX_UNAVAILABLE, NO_ANSWER, NO_HOST, NO_MAILBOX, REFUSED,
    TOO_LARGE,
};

use super::codes;
use super::phrases::{has_any, joined};

/// The status code that words stand for: its subject and detail, and whether the failure lasts.
struct Meaning {
    detail: &'static str,
    /// The class where no code gives one.
    class: char,
    phrases: &'static [&'static str],
}

/// The first meaning that fits counts: a full mailbox is named together with everything else, and
/// `not found` may be said of a host.
const MEANINGS: &[Meaning] = &[
    Meaning { detail: "2.2", class: '5', phrases: FULL },
    Meaning { detail: "1.2", class: '5', phrases: NO_HOST },
    Meaning { detail: "2.1", class: '5', phrases: DISABLED },
    Meaning { detail: "4.7", class: '4', phrases: EXPIRED },
    Meaning { detail: "1.1", class: '5', phrases: NO_MAILBOX },
    Meaning { detail: "3.4", class: '5', phrases: TOO_LARGE },
    Meaning { detail: "7.1", class: '5', phrases: REFUSED },
    Meaning { detail: "4.1", class: '4', phrases: NO_ANSWER },
    Meaning { detail: "1.1", class: '5', phrases: MAILBOX_UNAVAILABLE },
];

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
    meaning(words).map(|meaning| format!("{}.{}", meaning.class, meaning.detail))
}

/// Whether words say that the sender is blocked.
pub fn blocks(words: &str) -> bool {
    has_any(&joined(words), BLOCKED)
}

fn meaning(words: &str) -> Option<&'static Meaning> {
    let words = joined(words);
    MEANINGS.iter().find(|meaning| has_any(&words, meaning.phrases))
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
