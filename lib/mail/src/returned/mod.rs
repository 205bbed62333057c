//! What comes back from letters: bounces, delays, complaints, holiday replies, questions.
//!
//! Everything in a report may be forged. A caller acts on one only when it came to the return
//! address of a letter, or names one, that nobody could guess.

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

/// So many bytes of a message are read: reports say what they say at their beginning.
const READ: usize = 256 << 10;

/// What a message that came back says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Returned {
    /// The letter did not arrive and never will.
    Bounced {
        /// The enhanced status code (RFC 3463), `5.1.1`; `5.0.0` when nothing more is known. The
        /// class is 4 when a mail server has given up on a failure that it thought temporary.
        status: String,
        /// What the mail server said: at most 200 characters of ASCII, and `…` where an address
        /// stood.
        reason: String,
    },
    /// The letter has not arrived yet; nothing is final.
    Delayed {
        /// The enhanced status code, `4.4.1`; `4.0.0` when nothing more is known.
        status: String,
        /// As in [`Returned::Bounced`].
        reason: String,
    },
    /// The letter arrived.
    Delivered,
    /// The recipient complained about the letter to their mailbox provider.
    Complained {
        /// The provider's word for it (RFC 5965): `abuse`, `fraud`, `virus`, `other`, …
        kind: String,
    },
    /// A machine replied in the place of a person.
    AutoReply,
    /// A person wrote, or nobody can tell.
    Other,
}

/// A message that came back, and what it says about the letter that it is about.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// What it says.
    pub what: Returned,
    /// The return address of the letter. Complaints come to the address that was told to the
    /// provider, so that this is all that leads to the letter.
    pub original_return_path: Option<String>,
    /// The letter's Message-ID, without brackets.
    pub original_message_id: Option<String>,
}

impl fmt::Debug for Report {
    /// Addresses stay out of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("what", &self.what).finish_non_exhaustive()
    }
}

/// Reads a message that came back, whatever it is. What follows the first 256 KiB is not looked
/// at.
#[must_use]
pub fn read_returned(message: &[u8]) -> Report {
    let message = Opened::read(&message[..message.len().min(READ)]);
    let reported = complaint::read(&message)
        .or_else(|| dsn::read(&message))
        .or_else(|| notice::read(&message))
        .or_else(|| auto_reply::is(&message).then_some(Returned::AutoReply));
    // What a person attaches or quotes is theirs.
    let original = reported.as_ref().map_or_else(Original::default, |_| Original::read(&message));
    Report {
        what: reported.unwrap_or(Returned::Other),
        original_return_path: original.return_path,
        original_message_id: original.message_id,
    }
}
