//! Words and names that all sinks share.

use keys_api::{Alarm, AlarmKind};

/// The longest detail, in bytes. It keeps a syslog line below 2,048 bytes, which every receiver
/// should accept (RFC 5424, section 6.1).
const MAX_DETAIL: usize = 1024;
/// The longest origin, in bytes: Message-IDs and host names are limited.
const MAX_ORIGIN: usize = 100;

/// Makes `text` one line, cut if it is too long. Characters that break a line or change how it
/// reads, such as control characters and marks of direction, become blanks.
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

/// Whether a character breaks a line, or changes how it reads.
pub fn is_troublesome(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The instance that sends.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The name of its log in the configuration, as `keys-1.shop.example/log`.
    pub text: String,
    /// The same name with letters, digits and hyphens only.
    slug: String,
}

impl Origin {
    /// Checks the name of a log. The error names the fault.
    pub fn new(origin: &str) -> Result<Self, String> {
        let named = origin.bytes().any(|b| b.is_ascii_alphanumeric());
        if !named || origin.len() > MAX_ORIGIN || origin.contains(is_troublesome) {
            return Err(format!(
                "log_origin {origin:?} can't be used in alarms: write up to {MAX_ORIGIN} bytes on \
                 one line, as in keys-1.shop.example/log"
            ));
        }
        let slug = replaced(origin, |c| c.is_ascii_alphanumeric());
        Ok(Self { text: origin.to_owned(), slug })
    }

    /// The identity of an alarm, the same at every attempt. It has no dot, because the signed text
    /// of a webhook ends the identity with one.
    pub fn event_id(&self, seq: u64) -> String {
        format!("alarm_{}_{seq}", self.slug)
    }

    /// The host: the part in front of the first slash.
    pub fn host(&self) -> String {
        let host = self.text.split('/').next().unwrap_or_default();
        replaced(host, |c| c.is_ascii_alphanumeric() || c == '.')
    }
}

/// Replaces every character of `text` that is not `good` with a hyphen. An empty text becomes a
/// hyphen.
fn replaced(text: &str, good: impl Fn(char) -> bool) -> String {
    let out: String = text.chars().map(|c| if good(c) { c } else { '-' }).collect();
    if out.is_empty() { "-".to_owned() } else { out }
}

/// Splits `HOST:PORT` into its two parts.
pub fn host_port(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let named = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
    named.then_some((host, port))
}

/// The cause and the caller, as `budget web-ky-1`.
pub fn title(alarm: &Alarm) -> String {
    match &alarm.caller {
        Some(caller) => format!("{} {caller}", alarm.kind.as_str()),
        None => alarm.kind.as_str().to_owned(),
    }
}

/// The meaning of an alarm and the first thing to do, as in the table of the operator's manual.
#[expect(clippy::too_many_lines, reason = "a table: one pair of sentences for each kind")]
pub const fn advice(kind: AlarmKind) -> (&'static str, &'static str) {
    match kind {
        AlarmKind::Budget => (
            "A caller asked for more than its budget.",
            "Look at what that host is doing; freeze the caller if you can't tell.",
        ),
        AlarmKind::Decoy => (
            "A caller opened a decoy, or signed in to one.",
            "Nobody has a reason to open a decoy: freeze the caller.",
        ),
        AlarmKind::RefusedGrant => (
            "A caller tried something that it has no grant for.",
            "Find out whether a deployment is wrong or an intruder is trying.",
        ),
        AlarmKind::Frozen => (
            "A frozen caller goes on asking.",
            "The intruder is still there: take that host off the network.",
        ),
        AlarmKind::DecoyProbe => (
            "A compartment asked a second time which records are decoys.",
            "Treat the host of that compartment as fallen.",
        ),
        AlarmKind::RefusedWarrant => (
            "A warrant was refused: it lacks two good signatures, or is overdrawn.",
            "Find out who handed it in.",
        ),
        AlarmKind::LogDamage => (
            "The end of the log was damaged and cut, or the log does not match its checkpoint.",
            "After a crash, note it: a scope over that time says so. If there was no crash, keep the \
             directory as it is and treat the host of keys as fallen.",
        ),
        AlarmKind::State => (
            "A compartment came with a database that is not its newest, or staff accepted such a one.",
            "Find out who exchanged the database; put the newest one back, or accept the loss.",
        ),
        AlarmKind::Damage => (
            "A compartment's database is damaged.",
            "Keep the file, and restore the newest backup.",
        ),
        AlarmKind::Disk => (
            "A disk that a compartment writes to has little room, or none.",
            "Make room; the compartment goes on by itself.",
        ),
        AlarmKind::Journal => (
            "A journal of response is another than its anchor in the log says, or is not anchored.",
            "If it is another, keep the host as it is and treat response as fallen.",
        ),
        AlarmKind::BadCertificate => (
            "A client without a good certificate of the authority tried to connect.",
            "Check whether a certificate has expired; if not, find out who reaches this port.",
        ),
        AlarmKind::ClockJump => (
            "The clock of the machine was moved, or disagrees with that of another instance.",
            "Check its time source, and who could set it: budgets and warrants depend on it.",
        ),
        AlarmKind::WitnessDisagreement => (
            "The log disagrees with the copy of a witness.",
            "Treat the host of keys as fallen; keep both copies as they are.",
        ),
        AlarmKind::DecoyMail => (
            "Mail came to a decoy, whose address only a thief of your list can know.",
            "Treat the callers that the alarm names as fallen, and scope them back to when they \
             opened the decoy.",
        ),
        AlarmKind::BreakGlass => (
            "One person alone gave an order that needs two.",
            "Call that person now, by a number that you know. If they did not give it, treat their \
             key and the host of response as fallen.",
        ),
        AlarmKind::RefusedOrder => {
            ("An order without two good signatures was handed in.", "Find out who handed it in.")
        }
    }
}
