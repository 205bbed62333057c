//! Delivery status notifications (RFC 3464, RFC 6533).

use super::Returned;
use super::codes;
use super::fields::{Fields, past_blank_lines};
use super::mime::Opened;
use super::notice::is_from_a_machine;
use super::reason::{locals, reason};

/// The media types of the part with the notification's fields.
pub const PARTS: [&str; 2] = ["message/delivery-status", "message/global-delivery-status"];
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

/// Reads the notification in `message`; `None` if there is none. A notification that a person
/// attached to a message does not count.
pub fn read(message: &Opened) -> Option<Returned> {
    let part = message.part(&PARTS)?;
    if message.kind != "multipart/report" && !is_from_a_machine(&message.fields) {
        return None;
    }
    let bytes = part.bytes();
    let locals = locals(&String::from_utf8_lossy(&bytes));
    let mut worst = None;
    let mut rest = past_blank_lines(&bytes);
    for _ in 0..RECIPIENTS {
        let (block, after) = Fields::read(rest);
        rest = past_blank_lines(after);
        let is_worse = |fate: &Fate| worst.as_ref().is_none_or(|(worst, _)| fate > worst);
        if let Some(fate) = fate(&block).filter(is_worse) {
            worst = Some((fate, block));
        }
        if rest.is_empty() {
            break;
        }
    }
    let (fate, block) = worst?;
    if fate == Fate::Delivered {
        return Some(Returned::Delivered);
    }
    // The words of the refusing server explain most. The text of the notice is second best.
    let text = message.text();
    let words = diagnostic(&block).or_else(|| codes::find(&text).map(|code| code.line));
    let words = words.unwrap_or_default();
    let (status, reason) = (status(&block, words, fate), reason(words, &locals));
    Some(match fate {
        Fate::Failed => Returned::Bounced { status, reason },
        _ => Returned::Delayed { status, reason },
    })
}

/// The fate of the recipient of a block. The action counts more than the code, because a final
/// notification has the code of a temporary failure if the server gave up after trying for long.
fn fate(block: &Fields) -> Option<Fate> {
    let action = block.get("Action").and_then(|action| action.split_whitespace().next());
    match action.unwrap_or_default().to_ascii_lowercase().as_str() {
        "failed" => return Some(Fate::Failed),
        "delayed" => return Some(Fate::Delayed),
        "delivered" | "relayed" | "expanded" => return Some(Fate::Delivered),
        _ => {}
    }
    match codes::enhanced(block.get("Status")?, "245")?.as_bytes().first() {
        Some(b'5') => Some(Fate::Failed),
        Some(b'4') => Some(Fate::Delayed),
        _ => Some(Fate::Delivered),
    }
}

/// The words of the refusing server, without the name of the protocol.
fn diagnostic(block: &Fields) -> Option<&str> {
    let words = block.get("Diagnostic-Code").filter(|words| !words.is_empty())?;
    Some(match words.split_once(';') {
        Some((kind, rest)) if !kind.contains(char::is_whitespace) => rest.trim_start(),
        _ => words,
    })
}

/// The most exact code in the block and in the words of the server.
fn status(block: &Fields, words: &str, fate: Fate) -> String {
    let stated = block.get("Status").and_then(|status| codes::enhanced(status, "45"));
    let exact = stated.clone().filter(|status| !status.ends_with(".0.0"));
    let general = if fate == Fate::Failed { "5.0.0" } else { "4.0.0" };
    let status = exact
        .or_else(|| codes::find(words).map(|code| code.status).filter(|s| !s.ends_with(".0.0")))
        .or(stated)
        .or_else(|| codes::find(words).map(|code| code.status));
    codes::refined(status.unwrap_or_else(|| general.to_owned()), words)
}
