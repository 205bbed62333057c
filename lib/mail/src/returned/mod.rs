//! Parses mail that comes back from letters: bounces, delays, complaints, automatic replies and
//! questions.
//!
//! Everything in a report may be forged. A caller acts on a report only if it came to a letter's
//! return address, or names one, because nobody can guess these addresses.

mod auto_reply;
mod codes;
mod complaint;
mod dsn;
mod fields;
mod mime;
mod notice;
mod original;
mod reason;

use std::fmt;

use mime::Opened;
use original::Original;
pub(crate) use reason::without_names;

/// The number of bytes of a message that are read. Reports have their content at the beginning.
const READ: usize = 256 << 10;

/// The meaning of a returned message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Returned {
    /// The letter did not arrive, and the mail server has stopped trying.
    Bounced {
        /// The enhanced status code (RFC 3463), such as `5.1.1`, or `5.0.0` if the report has none.
        /// The class is 4 if the mail server gave up on a failure that it had taken for temporary.
        status: String,
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
    /// A machine replied in place of a person.
    AutoReply,
    /// A person wrote, or the kind of message is unknown.
    Other,
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

/// Parses a returned message of any kind. Only the first 256 KiB are read.
#[must_use]
pub fn read_returned(message: &[u8]) -> Report {
    let message = Opened::read(&message[..message.len().min(READ)]);
    let reported = complaint::read(&message)
        .or_else(|| dsn::read(&message))
        .or_else(|| notice::read(&message))
        .or_else(|| auto_reply::is_automatic(&message).then_some(Returned::AutoReply));
    // A person may attach or quote any message, which then proves nothing about a letter.
    let original = reported.as_ref().map_or_else(Original::default, |_| Original::read(&message));
    Report {
        what: reported.unwrap_or(Returned::Other),
        original_return_path: original.return_path,
        original_message_id: original.message_id,
    }
}
