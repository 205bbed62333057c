//! Parses mail that comes back from letters: bounces, delays, complaints, automatic replies and
//! questions.
//!
//! Everything in a report may be forged. A caller acts on a report only if it came to a letter's
//! return address, or names one, because nobody can guess these addresses.

mod author;
mod auto_reply;
mod challenge;
mod codes;
mod complaint;
mod dsn;
mod fields;
mod mdn;
mod mime;
mod notice;
mod original;
mod phrases;
mod reason;
mod ses;
mod text;
mod trying;
mod why;
mod words;

use std::fmt;

use fields::{Fields, past_blank_lines};
use mime::{Opened, Part};
use original::Original;
pub(crate) use reason::without_names;
pub use why::BounceReason;

/// The number of bytes of a message that are read. Reports have their content at the beginning.
const READ: usize = 256 << 10;
/// How deep reports in attached messages are searched for: gateways attach what they got.
const NESTED: u8 = 3;

/// The meaning of a returned message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Returned {
    /// The letter did not arrive, and the mail server has stopped trying.
    Bounced {
        /// The enhanced status code (RFC 3463), such as `5.1.1`, or `5.0.0` if the report has none.
        /// The class is 4 if the mail server gave up on a failure that it had taken for temporary.
        status: String,
        /// The reason by that code.
        why: BounceReason,
        /// The words of the mail server: at most 200 characters of ASCII, with `…` for each
        /// address.
        reason: String,
    },
    /// The letter has not arrived yet, and the mail server keeps trying.
    Delayed {
        /// The enhanced status code, such as `4.4.1`, or `4.0.0` if the report has none.
        status: String,
        /// The words of the mail server, as in [`Returned::Bounced`].
        reason: String,
    },
    /// The letter arrived.
    Delivered,
    /// The recipient complained about the letter to their mail provider.
    Complained {
        /// The kind of complaint in the provider's word (RFC 5965): `abuse`, `fraud`, `virus`,
        /// `other` and so on.
        kind: String,
    },
    /// A feedback report that is no complaint: a reader took the letter out of the spam folder, say.
    NoComplaint,
    /// A machine replied in place of a person.
    AutoReply,
    /// A person wrote, a robot holds the letter until its sender proves to be a person, or the kind
    /// of message is unknown. A person must look at it.
    Other,
}

impl Returned {
    /// The name of the kind: `bounce`, `delayed`, `delivered`, `complaint`, `auto-reply` or `other`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Bounced { .. } => "bounce",
            Self::Delayed { .. } => "delayed",
            Self::Delivered => "delivered",
            Self::Complained { .. } => "complaint",
            Self::AutoReply => "auto-reply",
            Self::NoComplaint | Self::Other => "other",
        }
    }

    /// The class of a failure: `hard` if it lasts, `soft` if the mail server gave up on a temporary
    /// one, `delay` if it keeps trying; `None` for all other mail.
    #[must_use]
    pub fn class(&self) -> Option<&'static str> {
        match self {
            Self::Bounced { status, .. } if status.starts_with('4') => Some("soft"),
            Self::Bounced { .. } => Some("hard"),
            Self::Delayed { .. } => Some("delay"),
            _ => None,
        }
    }

    /// The enhanced status code of a failure.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        match self {
            Self::Bounced { status, .. } | Self::Delayed { status, .. } => Some(status),
            _ => None,
        }
    }
}

/// A returned message: its meaning and the letter that it concerns.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// The meaning of the message.
    pub what: Returned,
    /// The return address of the letter, if the message names it. All complaints come to the one
    /// address that the provider knows, so only this address leads to the letter.
    pub original_return_path: Option<String>,
    /// The Message-ID of the letter without brackets, if the message names it.
    pub original_message_id: Option<String>,
}

impl fmt::Debug for Report {
    /// Leaves out the addresses, so that no log shows them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("what", &self.what).finish_non_exhaustive()
    }
}

/// Parses a returned message of any kind, or a notification of Amazon SES as JSON. Only the first
/// 256 KiB are read.
#[must_use]
pub fn read_returned(message: &[u8]) -> Report {
    let message = &message[..message.len().min(READ)];
    let (what, original) = ses::read(message).unwrap_or_else(|| {
        let (what, original) = read_message(&Opened::read(message), NESTED);
        // A person may attach or quote any message, which then proves nothing about a letter.
        what.map_or_else(|| (Returned::Other, Original::default()), |what| (what, original))
    });
    Report {
        what,
        original_return_path: original.return_path,
        original_message_id: original.message_id,
    }
}

/// Reads a message, and up to `depth` levels of messages attached to it; `None` if nothing tells
/// its kind.
fn read_message(message: &Opened, depth: u8) -> (Option<Returned>, Original) {
    if let Some((what, original)) = ses::read_mail(message) {
        return (Some(what), original);
    }
    let original = Original::read(message);
    let known =
        complaint::read(message).or_else(|| dsn::read(message)).or_else(|| mdn::read(message));
    if known.is_some() {
        return (known, original);
    }
    if depth > 0 && author::is_from_a_machine(&message.fields) {
        for part in message.parts.iter().filter(|part| is_attached_message(part)) {
            let bytes = part.bytes();
            let inner = Opened::read(past_blank_lines(&bytes));
            let (what, named) = read_message(&inner, depth - 1);
            let counts = match what {
                Some(Returned::Bounced { .. }) => true,
                Some(Returned::Delayed { .. } | Returned::Delivered) => {
                    !notice::says_failed(message)
                }
                _ => false,
            };
            if counts {
                return (what, named.or(original));
            }
        }
    }
    let what = notice::read(message)
        .or_else(|| challenge_in(message))
        .or_else(|| auto_reply::read(message));
    (what, original)
}

/// A challenge looks like an automatic reply, but holds the letter back.
fn challenge_in(message: &Opened) -> Option<Returned> {
    let is_reply = auto_reply::is_by_subject(message);
    (!is_reply && challenge::is_one(message)).then_some(Returned::Other)
}

/// Whether a part has a message in it, by the fields at its beginning. Gateways attach messages
/// under many types.
fn is_attached_message(part: &Part) -> bool {
    let bytes = part.bytes();
    let (fields, _) = Fields::read(past_blank_lines(&bytes));
    let is_typed = part.kind.starts_with("message/") && fields.has("Content-Type");
    is_typed || (fields.has("From") && (fields.has("Content-Type") || fields.has("Subject")))
}
