//! Delivery status notifications (RFC 3464, RFC 6533).

use super::Returned;
use super::codes;
use super::fields::{Fields, past_blank_lines};
use super::mime::Opened;
use super::notice::is_from_a_machine;
use super::reason::{locals, reason};

/// The part that machines read.
pub const PARTS: [&str; 2] = ["message/delivery-status", "message/global-delivery-status"];
/// So many recipients are looked at; a letter has one.
const RECIPIENTS: usize = 50;

/// What became of a recipient. With several of them the worst counts: all stand for one letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Delivered,
    Delayed,
    Failed,
}

/// What the notification in `message` says; `None` when there is none. One that is attached to
/// what a person writes is no notification to us.
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
        if let Some(fate) = fate(&block).filter(|fate| worst.as_ref().is_none_or(|(w, _)| fate > w))
        {
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
    // The words come from the server that refused, where it said any.
    let text = message.text();
    let said = diagnostic(&block).or_else(|| codes::find(&text).map(|code| code.line));
    let said = said.unwrap_or_default();
    let (status, reason) = (status(&block, said, fate), reason(said, &locals));
    Some(match fate {
        Fate::Failed => Returned::Bounced { status, reason },
        _ => Returned::Delayed { status, reason },
    })
}

/// What a block says of its recipient. The action counts before the code: a code of a temporary
/// failure stands in a final notification too, when the time to try again is over.
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

/// What the refusing server said, without the name of its protocol.
fn diagnostic(block: &Fields) -> Option<&str> {
    let said = block.get("Diagnostic-Code").filter(|said| !said.is_empty())?;
    Some(match said.split_once(';') {
        Some((kind, rest)) if !kind.contains(char::is_whitespace) => rest.trim_start(),
        _ => said,
    })
}

/// The most exact code that the block holds.
fn status(block: &Fields, said: &str, fate: Fate) -> String {
    let stated = block.get("Status").and_then(|status| codes::enhanced(status, "45"));
    let exact = stated.clone().filter(|status| !status.ends_with(".0.0"));
    let general = if fate == Fate::Failed { "5.0.0" } else { "4.0.0" };
    let status = exact
        .or_else(|| codes::find(said).map(|code| code.status).filter(|s| !s.ends_with(".0.0")))
        .or(stated)
        .or_else(|| codes::find(said).map(|code| code.status));
    codes::refined(status.unwrap_or_else(|| general.to_owned()), said)
}
