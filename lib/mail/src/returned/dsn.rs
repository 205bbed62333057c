//! Delivery status notifications (RFC 3464, RFC 6533).

use super::Returned;
use super::author::{Author, author, is_from_a_machine};
use super::fields::{Fields, past_blank_lines};
use super::mime::{Opened, Part};
use super::reason::{locals, reason};
use super::text::has_any;
use super::why::BounceReason;
use super::{challenge, codes, words};

/// The media types of the part with the notification's fields.
const PARTS: [&str; 2] = ["message/delivery-status", "message/global-delivery-status"];
/// The media types under which gateways pass such a part on.
const DISGUISES: [&str; 3] = ["application/octet-stream", "text/plain", "text/rfc822-headers"];
/// The number of recipients that are read. A letter has only one.
const RECIPIENTS: usize = 50;

/// The fate of a recipient, from good to bad. The worst of several counts, because a letter has one
/// recipient and every block of its report is about this letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Delivered,
    Delayed,
    Failed,
}

/// The fate that a block gives, and what it rests on.
struct Verdict {
    fate: Fate,
    /// Whether the block itself says so, with an action.
    is_stated: bool,
    block: Fields,
}

/// The part with the notification's fields, also under a false name.
pub fn part<'a>(message: &'a Opened<'a>) -> Option<&'a Part<'a>> {
    let disguised = |part: &&Part| DISGUISES.contains(&part.kind.as_str()) && is_status(part);
    message.part(&PARTS).or_else(|| message.parts.iter().find(disguised))
}

/// Reads the notification in `message`; `None` if there is none. A notification that a person
/// attached to a message does not count.
pub fn read(message: &Opened) -> Option<Returned> {
    let part = part(message)?;
    if message.kind != "multipart/report" && !is_from_a_machine(&message.fields) {
        return None;
    }
    let bytes = part.bytes();
    let locals = locals(&String::from_utf8_lossy(&bytes));
    let Verdict { fate, is_stated, block } = worst(past_blank_lines(&bytes))?;
    if fate == Fate::Delivered {
        return Some(Returned::Delivered);
    }
    // A robot that asks its sender for a proof borrows the form of a notification.
    let is_robots = !matches!(author(&message.fields), Author::System | Author::Postmaster);
    let names_mailbox = block.get("Status").and_then(|status| codes::enhanced(status, "5"));
    let names_mailbox = names_mailbox.is_some_and(|status| !status.starts_with("5.7."));
    if is_robots && !(is_stated && names_mailbox) && challenge::is_one(message) {
        return Some(Returned::Other);
    }
    // The words of the refusing server explain most. The text of the notice is second best.
    let text = message.text();
    let words = diagnostic(&block).or_else(|| codes::find(&text).map(|code| code.line));
    let words = words.unwrap_or_default();
    let (status, reason) = (status(&block, words, &text, fate), reason(words, &locals));
    Some(match fate {
        Fate::Failed => {
            let why = BounceReason::of(&status, words);
            Returned::Bounced { status, why, reason }
        }
        _ => Returned::Delayed { status, reason },
    })
}

/// Whether the content of a part is that of a notification.
fn is_status(part: &Part) -> bool {
    let bytes = part.bytes();
    let (first, rest) = Fields::read(past_blank_lines(&bytes));
    let (second, _) = Fields::read(past_blank_lines(rest));
    let both = [&first, &second];
    let has = |name| both.iter().any(|block| block.has(name));
    (has("Final-Recipient") || has("Original-Recipient"))
        && (has("Action") || has("Status") || has("Diagnostic-Code"))
        && !has("Disposition")
}

/// The worst fate among the blocks. The first block is about the whole message if it names the
/// server and no recipient: its action counts only where no recipient's block has one.
fn worst(mut rest: &[u8]) -> Option<Verdict> {
    let mut general = None;
    let mut worst: Option<Verdict> = None;
    for _ in 0..RECIPIENTS {
        let (block, after) = Fields::read(rest);
        rest = past_blank_lines(after);
        let is_general = block.has("Reporting-MTA") && !block.has("Final-Recipient");
        if is_general && !rest.is_empty() {
            general = stated(&block);
        } else if let Some(verdict) = verdict(block, general)
            && worst.as_ref().is_none_or(|worst| verdict.fate > worst.fate)
        {
            worst = Some(verdict);
        }
        if rest.is_empty() {
            break;
        }
    }
    worst
}

/// The fate of the recipient of a block. The action counts more than the code, because a final
/// notification has the code of a temporary failure if the server gave up after trying for long.
fn verdict(block: Fields, general: Option<Fate>) -> Option<Verdict> {
    if let Some(fate) = stated(&block) {
        return Some(Verdict { fate, is_stated: true, block });
    }
    let by_code = block.get("Status").and_then(|status| codes::enhanced(status, "245"));
    let by_words = || {
        let words = diagnostic(&block)?;
        codes::find(words).map(|code| code.status).or_else(|| words::status(words))
    };
    // Some systems write only what the server said.
    let fate = general.or_else(|| {
        Some(match by_code.or_else(by_words)?.as_bytes().first() {
            Some(b'5') => Fate::Failed,
            Some(b'4') => Fate::Delayed,
            _ => Fate::Delivered,
        })
    })?;
    Some(Verdict { fate, is_stated: false, block })
}

/// The fate that the action of a block states, in the words of the standard or in others.
fn stated(block: &Fields) -> Option<Fate> {
    let action = block.get("Action")?.to_ascii_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| action.starts_with(word));
    let failed = [
        "fail",
        "expire",
        "undeliver",
        "reject",
        "bounce",
        "refuse",
        "return",
        "error",
        "perm",
        "timeout",
        "timed",
        "abort",
        "denied",
        "blocked",
        "dropped",
        "discard",
        "not-deliver",
        "not deliver",
        "gave",
        "giv",
        "cancel",
        "abandon",
        "stopped",
    ];
    let delayed = ["delay", "defer", "retry", "retri", "queue", "pending", "warn", "temp", "held"];
    if begins(&failed) {
        return Some(Fate::Failed);
    }
    if begins(&delayed) {
        return Some(Fate::Delayed);
    }
    begins(&["deliver", "relay", "expand", "success"]).then_some(Fate::Delivered)
}

/// The words of the refusing server, without the name of the protocol.
fn diagnostic(block: &Fields) -> Option<&str> {
    let words = block.get("Diagnostic-Code").filter(|words| !words.is_empty())?;
    Some(match words.split_once(';') {
        Some((kind, rest)) if !kind.contains(char::is_whitespace) => rest.trim_start(),
        _ => words,
    })
}

/// Whether an action says that the time for attempts is over.
fn expires(action: &str) -> bool {
    let words = ["expire", "timeout", "timed", "abort", "gave", "giv", "abandon"];
    has_any(&action.to_ascii_lowercase(), &words)
}

/// The most exact code in the block, in the words of the server and in the text of the notice.
fn status(block: &Fields, diagnostic: &str, text: &str, fate: Fate) -> String {
    let exact = |status: &String| !codes::is_general(status);
    let stated = block.get("Status").and_then(|status| codes::enhanced(status, "45"));
    let said = codes::find(diagnostic).map(|code| code.status);
    // A full mailbox is named by its own server only.
    if let Some(full) = said.as_ref().filter(|status| status.ends_with(".2.2")) {
        return full.clone();
    }
    let known = stated.clone().filter(exact).or_else(|| said.clone().filter(exact));
    let action = block.get("Action").unwrap_or_default();
    if let Some(status) = known {
        return status;
    }
    // A code that names its subject, as 5.7.0 does, says more than 5.0.0.
    let names_subject = |status: &String| !status.ends_with(".0.0");
    let best = stated.clone().filter(names_subject).or_else(|| said.clone().filter(names_subject));
    if let Some(general) = best.or(stated).or(said) {
        let general = if expires(action) { format!("{}.4.7", &general[..1]) } else { general };
        let refined = words::refined(general, diagnostic);
        return if exact(&refined) { refined } else { words::refined(refined, text) };
    }
    // The action `expired` says more than the failure that the last attempt met.
    if expires(action) {
        return "4.4.7".to_owned();
    }
    let (of, general): (fn(&str) -> _, _) = match fate {
        Fate::Failed => (words::status, "5.0.0"),
        _ => (words::of_delay, "4.0.0"),
    };
    of(diagnostic).or_else(|| of(text)).unwrap_or_else(|| general.to_owned())
}
