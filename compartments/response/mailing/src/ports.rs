//! What sending letters needs from outside, as traits. The server implements them over its tables,
//! `accounts`, the relays, the DNS and files; tests implement them in memory.

mod ledger;

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use cofferdam_core::{Clock, Personal, Rng, Timestamp};
use cofferdam_mail::{Envelope, Outcome as RelayAnswer, VerifyError};
use response_api::LetterId;

use crate::{Composer, Letter, MailingRules};

pub use ledger::{
    Batch, CameBack, Counts, Holder, Ledger, LedgerError, Letters, Outcome, Postponement,
    Recipient, Row,
};

/// Everything that sending letters needs.
#[derive(Clone)]
pub struct Ports {
    /// The letters.
    pub letters: Arc<dyn Letters>,
    /// Their rows.
    pub ledger: Arc<dyn Ledger>,
    /// Names and addresses.
    pub contacts: Arc<dyn Contacts>,
    /// The way out.
    pub relay: Arc<dyn Relay>,
    /// Notes that survive this process.
    pub notes: Arc<dyn NoteKeeper>,
    /// Receivers' view of our letters; `None` where the gate is open.
    pub receivers: Option<Arc<dyn Receivers>>,
    /// The load of the reset pages.
    pub reset_pages: Arc<dyn ResetLoad>,
    /// Makes messages.
    pub composer: Arc<Composer>,
    /// How fast, and how often.
    pub rules: Arc<MailingRules>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
}

impl Ports {
    /// The time to the millisecond, as ledgers keep it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// Where names and addresses come from.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// Prepares to read the contacts of a letter's people. Refuses a letter to staff whose staff list
    /// was changed since the letter was planned.
    async fn open(&self, letter: &Letter) -> Result<Box<dyn LetterContacts>, ContactsError>;

    /// Ends the right to read them, if the letter has one.
    async fn close(&self, letter: &Letter) -> Result<(), ContactsError>;
}

/// The contacts of one letter's people.
#[async_trait]
pub trait LetterContacts: Send + Sync {
    /// The contact of each person, in order; `None` for somebody who must not be written to: a decoy,
    /// or a person without an address.
    async fn read(&self, people: &[u32]) -> Result<Vec<Option<Contact>>, ContactsError>;
}

/// A person's name and address.
#[derive(Debug, Clone)]
pub struct Contact {
    /// The name.
    pub name: Personal,
    /// The e-mail address.
    pub email: Personal,
}

/// Why contacts can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContactsError {
    /// The staff list is not the one that the letter was planned for.
    #[error(
        "the staff list was changed since the letter was planned; restore it, and write to new staff \
         under an incident of their own"
    )]
    StaffListChanged,
    /// They can't be read now, or not under the letter's warrant.
    #[error("contacts can't be read: {0}")]
    Unavailable(String),
}

/// Where letters are handed over.
#[async_trait]
pub trait Relay: Send + Sync {
    /// Opens a connection; says why it can't.
    async fn connect(&self) -> Result<Box<dyn Line>, String>;
}

/// A connection to a relay.
#[async_trait]
pub trait Line: Send {
    /// Whether another letter may go over it.
    fn is_open(&self) -> bool;

    /// Hands one letter over, and tells what became of it.
    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> RelayAnswer;

    /// Says goodbye.
    async fn close(self: Box<Self>);
}

/// The receivers' side: what the DNS tells them and us.
#[async_trait]
pub trait Receivers: Send + Sync {
    /// The names of a domain's mail exchanges; none when the DNS does not answer.
    async fn exchanges(&self, domain: &str) -> Vec<String>;

    /// Whether receivers would take a signed message for ours.
    async fn verify(&self, message: &[u8]) -> Result<(), VerifyError>;
}

/// The pages on which customers set new passwords.
#[async_trait]
pub trait ResetLoad: Send + Sync {
    /// Their load in percent of what they can bear; `None` when they do not answer.
    async fn busy_percent(&self) -> Option<u8>;
}

/// Keeps sending notes on this machine.
pub trait NoteKeeper: Send + Sync {
    /// Begins the notes of a worker on a letter.
    fn begin(&self, letter: LetterId, holder: &Holder) -> io::Result<Box<dyn SendingNotes>>;

    /// The notes that earlier workers of this machine left. `now` dates their doubts.
    fn left_behind(&self, now: Timestamp) -> io::Result<Vec<LeftNotes>>;

    /// Removes notes of which the ledger knows everything.
    fn forget(&self, left: &LeftNotes) -> io::Result<()>;
}

/// The notes of one worker on one letter. After a crash they alone know which letters were on the
/// wire.
pub trait SendingNotes: Send + Sync {
    /// Notes that a person's letter is about to go on the wire. Returns the number of the note's file.
    fn sending(&self, person: u32) -> io::Result<u64>;

    /// Notes an outcome.
    fn outcome(&self, outcome: &Outcome) -> io::Result<()>;

    /// The ledger recorded the outcomes of letters that these files note, one number for each letter.
    /// Files that hold nothing else are removed.
    fn recorded(&self, files: &[u64]) -> io::Result<()>;

    /// Removes all of them: the ledger knows everything.
    fn end(&self) -> io::Result<()>;
}

/// What an earlier worker noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftNotes {
    /// The worker.
    pub holder: Holder,
    /// The letter that it worked on.
    pub letter: LetterId,
    /// Whether every note is there. Notes outlive the process; after the machine went down, some may be
    /// missing.
    pub complete: bool,
    /// The last note of each person: an outcome, or the doubt about a letter that was on the wire.
    pub outcomes: Vec<Outcome>,
}
