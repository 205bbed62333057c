//! Relay, contacts, notes, receivers and reset pages in memory.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_core::{Personal, Timestamp};
use cofferdam_mail::{Accepted, Envelope, Outcome as RelayAnswer, VerifyError};
use response_api::{LedgerState, LetterId};
use tokio::time::Instant;

use super::harness::{address, lock};
use crate::{
    Contact, Contacts, ContactsError, Holder, LeftNotes, Letter, LetterContacts, Line, NoteKeeper,
    Outcome, Receivers, Relay, ResetLoad, SendingNotes,
};

/// A relay's answer to one attempt.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    Accept,
    Defer,
    Refuse,
    /// The connection breaks before the answer, but the letter may have got through.
    Break {
        delivered: bool,
    },
    /// The task that sends the letter panics.
    Panic,
}

type Script = Box<dyn FnMut(&str, u32) -> Reply + Send>;

/// A relay that answers by a script. The script gets the address and the number of earlier
/// attempts.
#[derive(Clone, Default)]
pub struct FakeRelay(Arc<RelayState>);

pub struct RelayState {
    pub is_down: AtomicBool,
    /// The number of connections that were opened.
    pub connections: AtomicU64,
    /// The time that an answer takes.
    delay: Mutex<Duration>,
    script: Mutex<Script>,
    /// The address and the instant of each attempt.
    attempts: Mutex<Vec<(String, Instant)>>,
    /// The messages that got through, by address.
    delivered: Mutex<HashMap<String, Vec<Vec<u8>>>>,
}

impl Default for RelayState {
    fn default() -> Self {
        Self {
            is_down: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            delay: Mutex::new(Duration::from_millis(1)),
            script: Mutex::new(Box::new(|_, _| Reply::Accept)),
            attempts: Mutex::default(),
            delivered: Mutex::default(),
        }
    }
}

impl Deref for FakeRelay {
    type Target = RelayState;

    fn deref(&self) -> &RelayState {
        &self.0
    }
}

impl RelayState {
    pub fn answer(&self, script: impl FnMut(&str, u32) -> Reply + Send + 'static) {
        *lock(&self.script) = Box::new(script);
    }

    pub fn slow_down(&self, delay: Duration) {
        *lock(&self.delay) = delay;
    }

    pub fn attempts(&self) -> Vec<(String, Instant)> {
        lock(&self.attempts).clone()
    }

    /// The instants at which the letter to a person was tried.
    pub fn attempts_at(&self, person: u32) -> Vec<Instant> {
        let attempts = self.attempts().into_iter();
        attempts.filter(|(to, _)| *to == address(person)).map(|(_, at)| at).collect()
    }

    pub fn messages_to(&self, person: u32) -> Vec<Vec<u8>> {
        lock(&self.delivered).get(&address(person)).cloned().unwrap_or_default()
    }

    /// The number of letters that each of the first `people` people got.
    pub fn delivered(&self, people: u32) -> Vec<usize> {
        (0..people).map(|person| self.messages_to(person).len()).collect()
    }
}

#[async_trait]
impl Relay for FakeRelay {
    async fn connect(&self) -> Result<Box<dyn Line>, String> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err("connection refused".into());
        }
        self.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(FakeLine { relay: self.clone(), is_open: true }))
    }
}

struct FakeLine {
    relay: FakeRelay,
    is_open: bool,
}

#[async_trait]
impl Line for FakeLine {
    fn is_open(&self) -> bool {
        self.is_open
    }

    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> RelayAnswer {
        let to = envelope.to.expose().to_owned();
        let earlier = {
            let mut attempts = lock(&self.relay.attempts);
            let earlier = attempts.iter().filter(|(address, _)| *address == to).count();
            attempts.push((to.clone(), Instant::now()));
            u32::try_from(earlier).unwrap()
        };
        let delay = *lock(&self.relay.delay);
        tokio::time::sleep(delay).await;
        let reply = lock(&self.relay.script)(&to, earlier);
        let deliver = || {
            lock(&self.relay.delivered).entry(to.clone()).or_default().push(message.to_vec());
        };
        match reply {
            Reply::Accept => {
                deliver();
                let queue_id = Some(format!("Q-{to}"));
                RelayAnswer::Accepted(Accepted { queue_id, reply: "250 ok".into() })
            }
            Reply::Defer => RelayAnswer::Deferred { code: Some(421), reply: "later".into() },
            Reply::Refuse => RelayAnswer::Refused { code: 550, reply: "no such mailbox".into() },
            Reply::Break { delivered } => {
                if delivered {
                    deliver();
                }
                self.is_open = false;
                RelayAnswer::InDoubt { cause: "the connection broke".into() }
            }
            Reply::Panic => panic!("a worker dies"),
        }
    }

    async fn close(self: Box<Self>) {}
}

/// Contacts of everybody but decoys.
#[derive(Clone, Default)]
pub struct FakeContacts(Arc<ContactsState>);

#[derive(Default)]
pub struct ContactsState {
    pub decoys: Mutex<Vec<u32>>,
    /// The number of reads that still fail.
    pub failures: AtomicU64,
    pub closed: AtomicU64,
    pub read: AtomicU64,
    pub staff_list_changed: AtomicBool,
}

impl Deref for FakeContacts {
    type Target = ContactsState;

    fn deref(&self) -> &ContactsState {
        &self.0
    }
}

#[async_trait]
impl Contacts for FakeContacts {
    async fn open(&self, _: &Letter) -> Result<Box<dyn LetterContacts>, ContactsError> {
        if self.staff_list_changed.load(Ordering::Relaxed) {
            return Err(ContactsError::StaffListChanged);
        }
        Ok(Box::new(self.clone()))
    }

    async fn close(&self, _: &Letter) -> Result<(), ContactsError> {
        self.closed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl LetterContacts for FakeContacts {
    async fn read(&self, people: &[u32]) -> Result<Vec<Option<Contact>>, ContactsError> {
        let fail = |left: u64| left.checked_sub(1);
        if self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fail).is_ok() {
            return Err(ContactsError::Unavailable("accounts is down".into()));
        }
        self.read.fetch_add(people.len() as u64, Ordering::Relaxed);
        let decoys = lock(&self.decoys).clone();
        let contact = |person: &u32| Contact {
            name: Personal::new(format!("Person {person}")),
            email: Personal::new(address(*person)),
        };
        let real = |person: &&u32| !decoys.contains(person);
        Ok(people.iter().map(|person| Some(person).filter(real).map(contact)).collect())
    }
}

/// Notes of all workers, which outlive them.
#[derive(Clone, Default)]
pub struct FakeNotes(Arc<NotesState>);

#[derive(Default)]
pub struct NotesState {
    pub is_disk_full: AtomicBool,
    /// Whether the machine went down, so that notes may be missing.
    pub machine_went_down: AtomicBool,
    workers: Mutex<BTreeMap<Holder, Notes>>,
}

impl Deref for FakeNotes {
    type Target = NotesState;

    fn deref(&self) -> &NotesState {
        &self.0
    }
}

impl NotesState {
    pub fn are_empty(&self) -> bool {
        lock(&self.workers).is_empty()
    }
}

/// The letter of a worker, and the last note of each person.
type Notes = (LetterId, BTreeMap<u32, Outcome>);

struct WorkerNotes {
    all: FakeNotes,
    holder: Holder,
}

impl NoteKeeper for FakeNotes {
    fn begin(&self, letter: LetterId, holder: &Holder) -> io::Result<Box<dyn SendingNotes>> {
        lock(&self.workers).insert(holder.clone(), (letter, BTreeMap::new()));
        Ok(Box::new(WorkerNotes { all: self.clone(), holder: holder.clone() }))
    }

    fn left_behind(&self, now: Timestamp) -> io::Result<Vec<LeftNotes>> {
        let complete = !self.machine_went_down.load(Ordering::Relaxed);
        let left = |(holder, (letter, notes)): (&Holder, &Notes)| {
            let dated = |outcome: &Outcome| match outcome.state {
                LedgerState::InDoubt => Outcome { at: now, ..outcome.clone() },
                _ => outcome.clone(),
            };
            let outcomes = notes.values().map(dated).collect();
            LeftNotes { holder: holder.clone(), letter: *letter, complete, outcomes }
        };
        Ok(lock(&self.workers).iter().map(left).collect())
    }

    fn forget(&self, left: &LeftNotes) -> io::Result<()> {
        lock(&self.workers).remove(&left.holder);
        Ok(())
    }
}

impl WorkerNotes {
    fn note(&self, outcome: Outcome) -> io::Result<()> {
        if self.all.is_disk_full.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        if let Some((_, notes)) = lock(&self.all.workers).get_mut(&self.holder) {
            notes.insert(outcome.person, outcome);
        }
        Ok(())
    }
}

impl SendingNotes for WorkerNotes {
    fn sending(&self, person: u32) -> io::Result<u64> {
        let (provider, at) = (0, Timestamp::UNIX_EPOCH);
        let detail = "its text was on the wire when the process died".to_owned();
        let doubt = Outcome { person, state: LedgerState::InDoubt, provider, detail, at };
        self.note(doubt).map(|()| 0)
    }

    fn outcome(&self, outcome: &Outcome) -> io::Result<()> {
        self.note(outcome.clone())
    }

    fn recorded(&self, _: &[u64]) -> io::Result<()> {
        Ok(())
    }

    fn end(&self) -> io::Result<()> {
        lock(&self.all.workers).remove(&self.holder);
        Ok(())
    }
}

/// Receivers that take every letter for ours, unless told otherwise.
#[derive(Default)]
pub struct FakeReceivers {
    pub refuse: AtomicBool,
    /// The number of lookups that the DNS still does not answer.
    pub silent: AtomicU64,
    pub checked: AtomicU64,
    /// The mail exchanges of each domain.
    pub exchanges: Mutex<HashMap<String, Vec<String>>>,
    /// The domains whose exchanges were looked up, in order.
    pub looked_up: Mutex<Vec<String>>,
}

#[async_trait]
impl Receivers for FakeReceivers {
    async fn exchanges(&self, domain: &str) -> Vec<String> {
        lock(&self.looked_up).push(domain.to_owned());
        lock(&self.exchanges).get(domain).cloned().unwrap_or_default()
    }

    async fn verify(&self, _: &[u8]) -> Result<(), VerifyError> {
        self.checked.fetch_add(1, Ordering::Relaxed);
        let fail = |left: u64| left.checked_sub(1);
        if self.silent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fail).is_ok() {
            return Err(VerifyError::Unknown("timeout".into()));
        }
        if self.refuse.load(Ordering::Relaxed) {
            return Err(VerifyError::Fails("DKIM fails".into()));
        }
        Ok(())
    }
}

/// The load of the reset pages, in percent; 0 until it is set.
#[derive(Default)]
pub struct FakeLoad(pub AtomicU8);

#[async_trait]
impl ResetLoad for FakeLoad {
    async fn busy_percent(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Relaxed))
    }
}
