//! Failure notices in words alone: qmail, Exim, sendmail, old Exchange and their like.

use super::Returned;
use super::auto_reply;
use super::codes;
use super::fields::Fields;
use super::mime::Opened;
use super::reason::{locals, reason};

/// Subjects of failure notices, in small letters.
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
/// What stands in the text of one, in small letters.
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
/// What says that the mail server goes on trying.
const GOES_ON: [&str; 13] = [
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
/// Where the original message begins, under a notice.
const ORIGINAL: [&str; 5] = [
    "copy of the message",
    "original message",
    "message header",
    "unsent message",
    "returned message",
];

/// What the notice in `message` says; `None` when it is none.
pub fn read(message: &Opened) -> Option<Returned> {
    let exim = message.fields.get("X-Failed-Recipients");
    let machine = is_from_a_machine(&message.fields);
    let system = is_mail_system(&message.fields);
    // A holiday reply comes from nobody too, and may quote anything. Mail systems mark their
    // notices as replies, so that the mark says nothing of them.
    let reply = !system && auto_reply::is(message);
    if exim.is_none() && (!machine || reply) {
        return None;
    }
    let subject = message.subject().to_lowercase();
    let whole = message.text();
    let text = notice_in(&whole);
    let lower = text.to_lowercase();
    let code = codes::find(text);

    let failed = exim.is_some() || says(&subject, &FAILED);
    let goes_on = says(&subject, &GOES_ON) || (!failed && says(&lower, &GOES_ON));
    // A mail system that quotes a refusal means it.
    let quotes = system && code.is_some();
    if !failed && !goes_on && !says(&lower, &GAVE_UP) && !quotes {
        return None;
    }
    let general = if goes_on { "4.0.0" } else { "5.0.0" };
    let status = code.as_ref().map_or_else(|| general.to_owned(), |code| code.status.clone());
    // Without a code nobody knows which words are the reason and which name somebody.
    let words = code.map_or("a notice without a code", |code| code.line);
    let people = format!("{whole} {}", exim.unwrap_or_default());
    let temporary = status.starts_with('4') && !failed && !says(&lower, &GAVE_UP);
    let status = codes::refined(status, &lower);
    let reason = reason(words, &locals(&people));
    Some(if goes_on || temporary {
        Returned::Delayed { status, reason }
    } else {
        Returned::Bounced { status, reason }
    })
}

/// Whether a mail server wrote this, and no person: it came from nobody (RFC 5321, section 4.5.5),
/// or from a mail system.
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

fn says(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The text as far as the original message.
fn notice_in(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.trim().to_lowercase();
        let is_rule = lower.starts_with("---") && says(&lower, &ORIGINAL);
        if is_rule || lower.starts_with("return-path:") || lower.starts_with("received:") {
            break;
        }
        at += line.len();
    }
    &text[..at]
}
