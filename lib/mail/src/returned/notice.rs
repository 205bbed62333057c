//! Notices without machine-readable parts, as from qmail, Exim, sendmail and old Exchange.

use super::Returned;
use super::author::{Author, author, has_null_sender};
use super::auto_reply;
use super::challenge;
use super::codes::{self, Code};
use super::mime::Opened;
use super::phrases::{CONDITIONS, DELIVERED, FAILED, GAVE_UP, SOME_MESSAGE, YOUR_MESSAGE};
use super::reason::{locals, reason};
use super::text::{has_any, joined, sentences};
use super::trying::{DELAY_SUBJECT, is_final, keeps_trying};
use super::why::BounceReason;
use super::words;

/// Words of the line above the original message, in lower case.
const ORIGINAL: [&str; 6] = [
    "copy of the message",
    "copy of the letter",
    "original message",
    "message header",
    "unsent message",
    "returned message",
];
/// The beginnings of the subjects of mail that people pass on.
const FORWARDED: [&str; 6] = ["fwd:", "fw:", "wg:", "tr:", "rv:", "i:"];

/// The marks by which a message is judged.
struct Notice<'a> {
    author: Author,
    has_null_sender: bool,
    /// Whether the header names failed recipients, as Exim's and Google's does.
    names_failed: bool,
    subject: String,
    /// The notice on one line, without the original message.
    lower: String,
    /// The code that a server replied with.
    code: Option<Code<'a>>,
}

/// Reads the notice in `message`; `None` if the message is not a notice.
pub fn read(message: &Opened) -> Option<Returned> {
    let whole = message.text();
    let text = notice_in(&whole);
    let author = author(&message.fields);
    let failed = message.fields.get("X-Failed-Recipients");
    let code = if author == Author::System || failed.is_some() {
        codes::find(text)
    } else {
        codes::reply(text)
    };
    let notice = Notice {
        author,
        has_null_sender: has_null_sender(&message.fields),
        names_failed: failed.is_some(),
        subject: joined(&message.subject()),
        lower: joined(text),
        code,
    };
    let is_final = match notice.judge(message)? {
        Judgement::Delivered => return Some(Returned::Delivered),
        Judgement::Bounced => true,
        Judgement::Delayed => false,
    };
    let status = notice.status(is_final);
    // Without a code, the reason can't be told from words that name a person.
    let words = notice.code.as_ref().map_or("a notice without a code", |code| code.line);
    let people = format!("{whole} {}", failed.unwrap_or_default());
    let reason = reason(words, &locals(&people));
    Some(if is_final {
        let why = BounceReason::of(&status, &notice.lower);
        Returned::Bounced { status, why, reason }
    } else {
        Returned::Delayed { status, reason }
    })
}

/// Whether a message says in its own words that a letter was not delivered.
pub fn says_failed(message: &Opened) -> bool {
    let whole = message.text();
    has_any(&joined(&message.subject()), FAILED) || has_any(&joined(notice_in(&whole)), GAVE_UP)
}

/// The fate of the letter that a notice reports.
enum Judgement {
    Delivered,
    Delayed,
    Bounced,
}

impl Notice<'_> {
    /// The fate of the letter; `None` if the message does not speak of its delivery.
    fn judge(&self, message: &Opened) -> Option<Judgement> {
        let failed = has_any(&self.subject, FAILED);
        if !self.is_notice(message, failed) {
            return None;
        }
        let is_final = self.names_failed || is_final(&self.lower);
        let tries = keeps_trying(&self.lower) && !is_final;
        if tries || (has_any(&self.subject, DELAY_SUBJECT) && !(failed && is_final)) {
            return Some(Judgement::Delayed);
        }
        let gave_up = has_any(&self.lower, GAVE_UP);
        if has_any(&self.lower, DELIVERED) && !failed && !gave_up {
            return Some(Judgement::Delivered);
        }
        let is_temporary = self.code.as_ref().is_some_and(|code| code.status.starts_with('4'));
        let says_final = failed || gave_up || is_final;
        Some(if is_temporary && !says_final { Judgement::Delayed } else { Judgement::Bounced })
    }

    /// Whether the message is a notice of a mail system at all.
    fn is_notice(&self, message: &Opened, failed: bool) -> bool {
        if self.names_failed {
            return true;
        }
        match self.author {
            // A mail system writes in any language. Mail systems mark their notices as automatic
            // replies, so the mark means nothing here.
            Author::System => !auto_reply::is_by_subject(message),
            Author::Postmaster if !auto_reply::is_automatic(message) => {
                let delays = keeps_trying(&self.lower);
                let quotes = self.has_null_sender && self.code.is_some();
                failed || delays || quotes || self.says(SOME_MESSAGE)
            }
            _ => !self.is_challenge(message, failed) && self.is_own_notice(message, failed),
        }
    }

    /// Whether a message from any address is a notice: a mail system behind an address of its own.
    /// A remark of a robot or a person about delivery is no notice.
    fn is_own_notice(&self, message: &Opened, failed: bool) -> bool {
        if FORWARDED.iter().any(|mark| self.subject.starts_with(mark)) {
            return false;
        }
        let says_so = self.says(SOME_MESSAGE) || (self.code.is_some() && failed);
        let delays = has_any(&self.subject, DELAY_SUBJECT) && keeps_trying(&self.lower);
        if self.has_null_sender {
            // An automatic reply has an empty return path too, and may speak of anything.
            let is_reply = auto_reply::is_automatic(message);
            return (failed && (says_so || !is_reply)) || delays || (says_so && !is_reply);
        }
        let is_service = matches!(self.author, Author::Service | Author::Postmaster);
        if is_service || auto_reply::is_bulk(message) || auto_reply::is_marked(message) {
            let is_answer = message.fields.has("In-Reply-To") && !is_service;
            return !is_answer && ((failed && says_so) || delays);
        }
        // A person who asks about a bounce answers a letter, or speaks of a letter of their own.
        let is_answer = message.fields.has("In-Reply-To") || message.fields.has("References");
        let names_it = self.lower.contains('@') || self.code.is_some();
        failed && !is_answer && self.says(&[]) && names_it
    }

    /// Whether a sentence says that the message that came in, or one in the words of `others`, was
    /// not delivered. A sentence of what might happen, or of parcels, does not.
    fn says(&self, others: &[&str]) -> bool {
        sentences(&self.lower).any(|sentence| {
            has_any(sentence, GAVE_UP)
                && (has_any(sentence, YOUR_MESSAGE) || has_any(sentence, others))
                && !has_any(sentence, CONDITIONS)
        })
    }

    fn is_challenge(&self, message: &Opened, failed: bool) -> bool {
        let is_permanent = self.code.as_ref().is_some_and(|code| code.status.starts_with('5'));
        !failed && !is_permanent && challenge::is_one(message)
    }

    /// The code of the reply, or the one that the words stand for.
    fn status(&self, is_final: bool) -> String {
        if let Some(code) = &self.code {
            let refined = words::refined(code.status.clone(), code.line);
            return words::refined(refined, &self.lower);
        }
        let words = format!("{} {}", self.subject, self.lower);
        if is_final {
            return words::status(&words).unwrap_or_else(|| "5.0.0".to_owned());
        }
        // Other words are not of the attempt that failed: a notice warns of what may happen.
        let is_sure = |status: &String| matches!(status.as_str(), "4.2.2" | "4.4.1");
        words::of_delay(&words).filter(is_sure).unwrap_or_else(|| "4.0.0".to_owned())
    }
}

/// The text up to the original message.
fn notice_in(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.trim().to_lowercase();
        let is_rule = lower.starts_with("---") && has_any(&lower, &ORIGINAL);
        if is_rule || lower.starts_with("return-path:") || lower.starts_with("received:") {
            break;
        }
        at += line.len();
    }
    &text[..at]
}
