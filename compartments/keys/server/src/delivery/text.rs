//! The words and names that all ways of delivery share.

use keys_api::{Alarm, AlarmKind};

/// The longest detail that leaves, in bytes: a syslog line stays below 2,048 bytes with it, which
/// every receiver should take (RFC 5424, section 6.1).
const MAX_DETAIL: usize = 1024;
/// The longest origin: Message-IDs and host names have their limits.
const MAX_ORIGIN: usize = 100;

/// `text` as one line, cut where it is too long. What breaks a line becomes a blank, and so does
/// what makes a line read other than it stands: control characters and marks of direction.
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_DETAIL));
    for c in text.chars() {
        let c = if is_troublesome(c) { ' ' } else { c };
        if out.len() + c.len_utf8() > MAX_DETAIL {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

pub fn is_troublesome(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Who speaks.
#[derive(Debug, Clone)]
pub struct Origin {
    /// As it stands in the configuration: `keys-1.shop.example/log`.
    pub text: String,
    /// The same with letters, digits and hyphens only.
    slug: String,
}

impl Origin {
    /// Says what is wrong with an origin that is none.
    pub fn new(origin: &str) -> Result<Self, String> {
        let named = origin.bytes().any(|b| b.is_ascii_alphanumeric());
        if !named || origin.len() > MAX_ORIGIN || origin.contains(is_troublesome) {
            return Err(format!(
                "the log's origin {origin:?} can't sign alarms: it takes up to {MAX_ORIGIN} bytes \
                 on one line, as in keys-1.shop.example/log"
            ));
        }
        let slug = replaced(origin, |c| c.is_ascii_alphanumeric());
        Ok(Self { text: origin.to_owned(), slug })
    }

    /// The identity of an alarm, the same whenever it is sent. No dot: the signature of a webhook
    /// takes one for its end.
    pub fn event_id(&self, seq: u64) -> String {
        format!("alarm_{}_{seq}", self.slug)
    }

    /// The host in it: what stands in front of the first slash.
    pub fn host(&self) -> String {
        let host = self.text.split('/').next().unwrap_or_default();
        replaced(host, |c| c.is_ascii_alphanumeric() || c == '.')
    }
}

/// `text` with a hyphen for every character that is not `good`; one hyphen if nothing is left.
fn replaced(text: &str, good: impl Fn(char) -> bool) -> String {
    let out: String = text.chars().map(|c| if good(c) { c } else { '-' }).collect();
    if out.is_empty() { "-".to_owned() } else { out }
}

/// The two halves of `HOST:PORT`.
pub fn host_port(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let named = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
    named.then_some((host, port))
}

/// `budget web-ky-1`: what it is about and who set it off.
pub fn title(alarm: &Alarm) -> String {
    match &alarm.caller {
        Some(caller) => format!("{} {caller}", alarm.kind.as_str()),
        None => alarm.kind.as_str().to_owned(),
    }
}

/// What an alarm means, and what to do first: the table in the operator's manual.
pub const fn advice(kind: AlarmKind) -> (&'static str, &'static str) {
    match kind {
        AlarmKind::Budget => (
            "A caller asked for more than its budget.",
            "Look at what that host is doing; freeze it if you don't know.",
        ),
        AlarmKind::Decoy => (
            "A caller opened, or signed in to, a record where nobody lives.",
            "Nobody has a reason to: freeze the caller.",
        ),
        AlarmKind::RefusedGrant => (
            "A caller tried what it has no grant for.",
            "A wrong deployment, or somebody trying doors: find out which.",
        ),
        AlarmKind::Frozen => (
            "A frozen caller goes on asking.",
            "The intruder is still there: take that host off the network.",
        ),
        AlarmKind::DecoyProbe => (
            "A compartment asked a second time where its decoys are.",
            "Take that compartment's host for fallen.",
        ),
        AlarmKind::RefusedWarrant => (
            "A warrant was refused: without two good signatures, or overdrawn.",
            "Find out who handed it in.",
        ),
        AlarmKind::LogDamage => (
            "The log's end was damaged and cut, or the log does not match its checkpoint.",
            "After a crash, note it: a scope over that time says so. Without one, keep the \
             directory as it is and take the keys host for fallen.",
        ),
        AlarmKind::BadCertificate => (
            "A client without a good certificate of the authority knocked.",
            "See whether a certificate has run out; if not, find out who reaches this port.",
        ),
        AlarmKind::ClockJump => (
            "The machine's clock was moved, or disagrees with another instance's.",
            "Look at its time source, and at who could set it: budgets and warrants go by it.",
        ),
        AlarmKind::WitnessDisagreement => (
            "A witness's copy of the log disagrees with the log.",
            "Take the keys host for fallen; keep both copies as they are.",
        ),
        AlarmKind::DecoyMail => (
            "mail came to a mailbox that only whoever has our list can know: the list is out",
            "take the callers that it names for fallen, and scope them back to when they opened it",
        ),
        AlarmKind::BreakGlass => (
            "One person alone gave an order that takes two.",
            "Call that person now, by a number that you know; if it was not they, take their key \
             and the response host for fallen.",
        ),
        AlarmKind::RefusedOrder => (
            "A policy or an epoch order without two good signatures was handed in.",
            "Find out who handed it in.",
        ),
    }
}
