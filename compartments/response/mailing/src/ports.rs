//! The outside of sending letters, as traits. The server implements them over its tables,
//! `accounts`, the relays, the DNS and files; tests implement them in memory.

mod ledger;

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use cofferdam_core::{Clock, Personal, Rng, Timestamp, whole_milliseconds};
use cofferdam_mail::{Envelope, Outcome as RelayAnswer, VerifyError};
use response_api::LetterId;

use crate::{Composer, Letter, MailingRules};

pub use ledger::{
    Batch, CameBack, Counts, Holder, Ledger, LedgerError, Letters, Outcome, Postponement,
    Recipient, Row,
};

/// Everything outside that sending letters needs.
#[derive(Clone)]
pub struct Ports {
    /// The letters: versions, locales, states, provider pauses.
    pub letters: Arc<dyn Letters>,
    /// The ledger: the rows of letters.
    pub ledger: Arc<dyn Ledger>,
    /// The source of names and addresses.
    pub contacts: Arc<dyn Contacts>,
    /// The relay that takes the letters.
    pub relay: Arc<dyn Relay>,
    /// The keeper of sending notes, which survive this process.
    pub notes: Arc<dyn NoteKeeper>,
    /// The receivers' view of our letters; `None` if the gate is open.
    pub receivers: Option<Arc<dyn Receivers>>,
    /// The source of the reset pages' load.
    pub reset_pages: Arc<dyn ResetLoad>,
    /// The maker of messages.
    pub composer: Arc<Composer>,
    /// The settings for pace and further attempts.
    pub rules: Arc<MailingRules>,
    /// The clock for every instant that is recorded.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub rng: Arc<dyn Rng>,
}

impl Ports {
    /// The time now, to the millisecond, as ledgers keep it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        whole_milliseconds(self.clock.now())
    }
}

/// The source of names and addresses.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// Prepares to read the contacts of a letter's people. Refuses a letter to staff if the staff
    /// list was changed since the letter was planned.
    async fn open(&self, letter: &Letter) -> Result<Box<dyn LetterContacts>, ContactsError>;

    /// Ends the right to read the contacts of the letter, if it has one.
    async fn close(&self, letter: &Letter) -> Result<(), ContactsError>;
}

/// The contacts of one letter's people.
#[async_trait]
pub trait LetterContacts: Send + Sync {
    /// Reads the contact of each person, in order; `None` for somebody who must get no letter: a
    /// decoy, or a person without an address.
    async fn read(&self, people: &[u32]) -> Result<Vec<Option<Contact>>, ContactsError>;
}

/// The contacts of one person: name and e-mail address.
#[derive(Debug, Clone)]
pub struct Contact {
    /// The person's name.
    pub name: Personal,
    /// The person's e-mail address.
    pub email: Personal,
}

/// Contacts that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContactsError {
    /// The staff list is not the one that the letter was planned for.
    #[error(
        "the staff list was changed since the letter was planned; restore it, and write to new staff \
         under an incident of their own"
    )]
    StaffListChanged,
    /// The contacts can't be read now, or not under the letter's warrant.
    #[error("contacts can't be read: {0}")]
    Unavailable(String),
}

/// The relay to which letters are handed.
#[async_trait]
pub trait Relay: Send + Sync {
    /// Opens a connection, or gives the reason why that failed.
    async fn connect(&self) -> Result<Box<dyn Line>, String>;
}

/// A connection to a relay.
#[async_trait]
pub trait Line: Send {
    /// Whether the connection can take another letter.
    fn is_open(&self) -> bool;

    /// Hands one letter over, and returns the relay's answer.
    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> RelayAnswer;

    /// Ends the connection in good order.
    async fn close(self: Box<Self>);
}

/// The receivers' side: the DNS as they and we see it.
#[async_trait]
pub trait Receivers: Send + Sync {
    /// Looks up the names of a domain's mail exchanges; none if the DNS does not answer.
    async fn exchanges(&self, domain: &str) -> Vec<String>;

    /// Checks that receivers would accept a signed message as ours.
    async fn verify(&self, message: &[u8]) -> Result<(), VerifyError>;
}

/// The pages on which customers set new passwords.
#[async_trait]
pub trait ResetLoad: Send + Sync {
    /// Reads the load, in percent of what the pages can bear; `None` if they do not answer.
    async fn busy_percent(&self) -> Option<u8>;
}

/// Keeps sending notes on this machine.
pub trait NoteKeeper: Send + Sync {
    /// Begins the notes of a worker on a letter.
    fn begin(&self, letter: LetterId, holder: &Holder) -> io::Result<Box<dyn SendingNotes>>;

    /// Reads the notes that earlier workers of this machine left. `now` dates their doubts.
    fn left_behind(&self, now: Timestamp) -> io::Result<Vec<LeftNotes>>;

    /// Removes notes after the ledger has recorded all of them.
    fn forget(&self, left: &LeftNotes) -> io::Result<()>;
}

/// The sending notes of one worker on one letter. After a crash, only they tell which letters were
/// on the wire.
pub trait SendingNotes: Send + Sync {
    /// Notes that a person's letter is about to go on the wire. Returns the number of the note's
    /// file.
    fn sending(&self, person: u32) -> io::Result<u64>;

    /// Notes the outcome of a letter.
    fn outcome(&self, outcome: &Outcome) -> io::Result<()>;

    /// Tells that the ledger has recorded outcomes, by the note files of their letters, one number
    /// for each letter. Files that hold nothing else are removed.
    fn recorded(&self, files: &[u64]) -> io::Result<()>;

    /// Removes all notes, because the ledger has recorded everything.
    fn end(&self) -> io::Result<()>;
}

/// The notes that an earlier worker left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftNotes {
    /// The worker, in the life that left the notes.
    pub holder: Holder,
    /// The letter that the worker was sending.
    pub letter: LetterId,
    /// Whether no note is missing. Notes outlive the process; after a crash of the machine, some
    /// may be lost.
    pub complete: bool,
    /// The last note of each person: an outcome, or the doubt about a letter that was on the wire.
    pub outcomes: Vec<Outcome>,
}
