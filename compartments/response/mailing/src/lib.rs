//! The rules of sending letters: pace, connections, further attempts, and the record of each
//! outcome.
//!
//! The [`MailRoom`] runs one mailing for each letter that is being sent. In a mailing, feeders
//! claim batches of the ledger and read their contacts, lanes hold the letters of each mail
//! provider, connections send, and a recorder writes outcomes into the ledger. Sending notes on
//! this machine hold what the ledger has not recorded yet, so a worker's death leaves doubts about
//! letters on the wire only.
//!
//! May touch: no SQL, no HTTP, no files. The outside is reached through the traits of [`Ports`].
//! Called by: the server. [`memory`] is a plain model of the ledger, for tests.

mod compose;
mod feed;
mod lane;
mod letter;
mod mailing;
pub mod memory;
mod meter;
mod pace;
mod pauses;
mod ports;
mod providers;
mod record;
mod recover;
mod reset_pages;
mod room;
mod rules;
mod send;
mod work;

pub use compose::{ComposeError, Composer, Marks, form_of};
pub use letter::Letter;
pub use mailing::MailingError;
pub use pace::CameBackAs;
pub use ports::{
    Batch, CameBack, Contact, Contacts, ContactsError, Counts, Holder, Ledger, LedgerError,
    LeftNotes, LetterContacts, Letters, Line, NoteKeeper, Outcome, Ports, Postponement, Receivers,
    Recipient, Relay, ResetLoad, Row, SendingNotes,
};
pub use providers::{OTHERS, ProviderConfig};
pub use recover::recover;
pub use room::{MailRoom, Progress};
pub use rules::{MailingRules, RetryConfig};
pub use work::close_contacts;

#[cfg(test)]
mod tests;
