//! Failure notices without machine-readable parts, as from qmail, Exim, sendmail and old Exchange.

use super::Returned;
use super::auto_reply;
use super::codes;
use super::fields::Fields;
use super::mime::Opened;
use super::reason::{locals, reason};

/// Words in the subjects of failure notices, in lower case.
const FAILED: [&str; 30] = [
    "undeliverable",
    "undelivered",
    "nondeliverable",
    "non-deliverable",
    "not delivered",
    "not deliverable",
    "could not be delivered",
    "couldn't be delivered",
    "returned mail",
    "returned to sender",
    "returning message to sender",
    "failure notice",
    "delivery failure",
    "delivery failed",
    "delivery has failed",
    "failed delivery",
    "delivery error",
    "(failure)",
    "delivery problem",
    "message failed",
    "unzustellbar",
    "non remis",
    "non distribué",
    "no se puede entregar",
    "no se ha podido entregar",
    "non recapitabile",
    "mancato recapito",
    "não é possível entregar",
    "onbestelbaar",
    "niedostarczaln",
];
/// Words in the text of a final failure notice, in lower case.
const GAVE_UP: [&str; 21] = [
    "this is the qmail-send program",
    "i've given up",
    "permanent error",
    "permanent fatal error",
    "transcript of session follows",
    "could not be delivered",
    "couldn't be delivered",
    "can't be delivered",
    "cannot be delivered",
    "wasn't able to deliver",
    "unable to deliver",
    "was not delivered",
    "wasn't delivered",
    "did not reach",
    "delivery to the following recipient",
    "delivery has failed",
    "undeliverable",
    "user unknown",
    "no such user",
    "mailbox full",
    "over quota",
];
/// Words of a notice whose mail server keeps trying, in lower case.
const KEEPS_TRYING: [&str; 13] = [
    "delayed",
    "(delay)",
    "delivery delay",
    "not yet been delivered",
    "still being retried",
    "will be retried",
    "continue to try",
    "keep trying",
    "could not send message for past",
    "warning message only",
    "need to resend your message",
    "verzögert",
    "retardé",
];
/// Words of the line above the original message, in lower case.
const ORIGINAL: [&str; 5] = [
    "copy of the message",
    "original message",
    "message header",
    "unsent message",
    "returned message",
];

/// Reads the notice in `message`; `None` if the message is not a notice.
pub fn read(message: &Opened) -> Option<Returned> {
    let exim = message.fields.get("X-Failed-Recipients");
    let machine = is_from_a_machine(&message.fields);
    let system = is_mail_system(&message.fields);
    // An automatic reply also has an empty return path, and it may quote anything. Mail systems
    // mark their own notices as automatic replies, so for notices the mark means nothing.
    let reply = !system && auto_reply::is_automatic(message);
    if exim.is_none() && (!machine || reply) {
        return None;
    }
    let subject = message.subject().to_lowercase();
    let whole = message.text();
    let text = notice_in(&whole);
    let lower = text.to_lowercase();
    let code = codes::find(text);

    let failed = exim.is_some() || contains_any(&subject, &FAILED);
    let keeps_trying =
        contains_any(&subject, &KEEPS_TRYING) || (!failed && contains_any(&lower, &KEEPS_TRYING));
    let gave_up = contains_any(&lower, &GAVE_UP);
    // If a mail system quotes a refusal, the message is a notice of this refusal.
    let quotes = system && code.is_some();
    if !failed && !keeps_trying && !gave_up && !quotes {
        return None;
    }
    let general = if keeps_trying { "4.0.0" } else { "5.0.0" };
    let status = code.as_ref().map_or_else(|| general.to_owned(), |code| code.status.clone());
    // Without a code, the reason can't be told from words that name a person.
    let words = code.map_or("a notice without a code", |code| code.line);
    let people = format!("{whole} {}", exim.unwrap_or_default());
    let temporary = status.starts_with('4') && !failed && !gave_up;
    let status = codes::refined(status, &lower);
    let reason = reason(words, &locals(&people));
    Some(if keeps_trying || temporary {
        Returned::Delayed { status, reason }
    } else {
        Returned::Bounced { status, reason }
    })
}

/// Whether a mail server wrote the message instead of a person: its return path is empty (RFC 5321,
/// section 4.5.5), or its author is a mail system.
pub fn is_from_a_machine(fields: &Fields) -> bool {
    let from_nobody = fields.get("Return-Path").is_some_and(|path| path.is_empty() || path == "<>");
    from_nobody || is_mail_system(fields)
}

fn is_mail_system(fields: &Fields) -> bool {
    let from = fields.get("From").unwrap_or_default().to_ascii_lowercase();
    let address = from.rsplit_once('<').map_or(&*from, |(_, address)| address);
    let local = address.trim_start_matches('"').split(['@', '>']).next().unwrap_or_default();
    ["mailer-daemon", "postmaster", "microsoftexchange"].iter().any(|name| local.starts_with(name))
        || ["mail delivery sub", "mail delivery sys", "system administrator"]
            .iter()
            .any(|name| from.contains(name))
}

fn contains_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The text up to the original message.
fn notice_in(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.trim().to_lowercase();
        let is_rule = lower.starts_with("---") && contains_any(&lower, &ORIGINAL);
        if is_rule || lower.starts_with("return-path:") || lower.starts_with("received:") {
            break;
        }
        at += line.len();
    }
    &text[..at]
}
