//! Sending a letter: workers claim rows, hand messages to the relay, and record each outcome.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use accounts_api::ReadContacts;
use cofferdam_core::{Personal, Record};
use cofferdam_mail::{Connection, Envelope, Mailbox, Message};
use cofferdam_wire::{Problem, ProblemKind};
use keys_api::CloseWarrant;
use response_api::{Audience, LedgerState, People};
use tokio::task::{JoinHandle, JoinSet};

use super::roster::read_contacts;
use crate::app::App;
use crate::domain::identity::message_id;
use crate::domain::letter::{self, Facts};
use crate::roster;
use crate::store::{Claimed, Letter, Outcome};

/// Rows that a worker claims at once: as many are in doubt, at most, when the process dies.
const CLAIM: u32 = 100;
/// How long an outcome may wait to be recorded.
const RECORD_EVERY: Duration = Duration::from_secs(1);
/// How often in a row a worker meets an unwilling relay before the letter stops.
const PATIENCE: u32 = 5;

/// A letter that is being sent.
pub struct Sending {
    progress: Arc<Progress>,
    supervisor: JoinHandle<()>,
}

#[derive(Default)]
struct Progress {
    ended: AtomicBool,
    stop: AtomicBool,
    trouble: Mutex<Option<String>>,
    setbacks: AtomicU32,
}

impl Sending {
    /// Whether workers are at it.
    pub fn is_running(&self) -> bool {
        !self.progress.ended.load(Ordering::Acquire)
    }

    /// Why they stopped before the end.
    pub fn trouble(&self) -> Option<String> {
        self.progress.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the workers have recorded what they have.
    pub async fn ended(self) {
        // A worker that panicked has left its rows claimed: they are in doubt at the next start.
        let _ = self.supervisor.await;
    }
}

impl Progress {
    fn give_up(&self, why: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.stop.store(true, Ordering::Release);
    }
}

/// Everything a worker needs.
struct Work {
    app: Arc<App>,
    letter: Letter,
    /// Whose records the letter's incident is about.
    people: People,
    facts: Facts,
    staff: Vec<roster::Member>,
    progress: Arc<Progress>,
}

/// Starts the workers of a letter, unless they are at it.
pub async fn start(app: &Arc<App>, letter: Letter) -> Result<(), Problem> {
    let mut all = app.sending.lock().await;
    if all.get(&letter.letter).is_some_and(Sending::is_running) {
        return Ok(());
    }
    let internal = |e: cofferdam_store::StoreError| Problem::internal(&e);
    // No worker is at it, so what is claimed belongs to one that is no more.
    app.store.doubt_claimed(letter.letter, app.now()).await.map_err(internal)?;
    let incident = app.incident(letter.incident).await?;
    let exposure = app.exposure(letter.incident).await?;
    let done = app.done(&incident).await.map_err(internal)?;
    app.store.set_started(letter.letter, app.now()).await.map_err(internal)?;
    let started = app.store.letter(letter.letter).await.map_err(internal)?.and_then(|l| l.started);
    let staff = match letter.audience {
        Audience::Staff => {
            roster::load(&app.config.staff_roster).map_err(|e| Problem::internal(&e))?
        }
        Audience::Customers => Vec::new(),
    };
    let progress = Arc::new(Progress::default());
    let work = Arc::new(Work {
        facts: Facts::new(
            &app.config.shop,
            &incident,
            &exposure,
            done,
            started.unwrap_or_else(|| app.now()),
        ),
        app: app.clone(),
        letter: letter.clone(),
        people: incident.people,
        staff,
        progress: progress.clone(),
    });
    let supervisor = tokio::spawn(supervise(work));
    all.insert(letter.letter, Sending { progress, supervisor });
    Ok(())
}

async fn supervise(work: Arc<Work>) {
    let mut workers = JoinSet::new();
    for _ in 0..work.app.config.mail_workers.max(1) {
        workers.spawn(worker(work.clone()));
    }
    while let Some(ended) = workers.join_next().await {
        if let Err(e) = ended {
            work.progress.give_up(format!("a worker failed: {e}"));
        }
    }
    let (app, letter) = (&work.app, work.letter.letter);
    match app.store.counts(letter).await {
        Ok(counts) if !counts.unsettled() => {
            if let Err(e) = finish(&work).await {
                work.progress.give_up(e.to_string());
            }
        }
        Ok(_) => {}
        Err(e) => work.progress.give_up(e.to_string()),
    }
    work.progress.ended.store(true, Ordering::Release);
}

/// Ends a letter: contact data is readable no longer than it takes.
async fn finish(work: &Work) -> Result<(), BatchError> {
    let (app, letter) = (&work.app, &work.letter);
    app.store.set_finished(letter.letter, app.now()).await?;
    if let Some(warrant) = letter.warrant {
        let closed = app.keys.call(&CloseWarrant { warrant }).await;
        closed.map_err(|e| BatchError::Warrant(e.into()))?;
    }
    Ok(())
}

async fn worker(work: Arc<Work>) {
    let mut connection = None;
    while !work.must_stop() {
        match work.batch(&mut connection).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(e) => {
                let setbacks = work.progress.setbacks.fetch_add(1, Ordering::AcqRel) + 1;
                tracing::warn!(cause = %e, setbacks, "letters wait");
                if setbacks >= PATIENCE {
                    work.progress.give_up(e.to_string());
                }
                tokio::time::sleep(Duration::from_millis(200 << setbacks.min(6))).await;
            }
        }
    }
    if let Some(connection) = connection {
        connection.close().await;
    }
}

/// Why a batch could not be sent to its end. What was not sent is planned again.
#[derive(Debug, thiserror::Error)]
enum BatchError {
    #[error(transparent)]
    Store(#[from] cofferdam_store::StoreError),
    #[error("contacts can't be read: {0}")]
    Contacts(Problem),
    #[error("the warrant can't be closed: {0}")]
    Warrant(Problem),
    #[error(transparent)]
    Relay(#[from] cofferdam_mail::OpenError),
    #[error("the relay puts letters off: {0}")]
    Deferred(String),
}

/// The outcomes of claimed rows, until they are recorded.
struct Batch {
    outcomes: Vec<Outcome>,
    settled: HashSet<u32>,
    /// Whether any row got a final outcome.
    any_done: bool,
    /// What the relay said to a row that it put off.
    put_off: Option<String>,
    since: Instant,
}

impl Batch {
    fn new(rows: &[Claimed]) -> Self {
        Self {
            outcomes: Vec::with_capacity(rows.len()),
            settled: HashSet::with_capacity(rows.len()),
            any_done: false,
            put_off: None,
            since: Instant::now(),
        }
    }

    fn settle(&mut self, person: u32, state: LedgerState, said: String) {
        if state == LedgerState::Planned {
            self.put_off = Some(said.clone());
        } else {
            self.any_done = true;
        }
        self.settled.insert(person);
        self.outcomes.push(Outcome { person, state, outcome: Some(said) });
    }

    /// What was not tried is planned again.
    fn put_back(&mut self, rows: &[Claimed]) {
        let left = rows.iter().filter(|row| !self.settled.contains(&row.person));
        let planned = |row: &Claimed| Outcome {
            person: row.person,
            state: LedgerState::Planned,
            outcome: None,
        };
        self.outcomes.extend(left.map(planned));
    }
}

/// Somebody to write to.
struct Addressee {
    name: Personal,
    email: Personal,
}

impl Work {
    fn must_stop(&self) -> bool {
        self.progress.stop.load(Ordering::Acquire) || *self.app.stopping.borrow()
    }

    /// Sends the next rows; `false` when there are none.
    async fn batch(&self, connection: &mut Option<Connection>) -> Result<bool, BatchError> {
        let rows = self.app.store.claim(self.letter.letter, CLAIM, self.app.now()).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let mut batch = Batch::new(&rows);
        let sent = self.send(&rows, connection, &mut batch).await;
        batch.put_back(&rows);
        self.record(&mut batch).await?;
        sent?;
        match batch.put_off {
            Some(reply) if !batch.any_done => Err(BatchError::Deferred(reply)),
            _ => {
                self.progress.setbacks.store(0, Ordering::Release);
                Ok(true)
            }
        }
    }

    /// Sends to each row's person, and records outcomes at least every second.
    async fn send(
        &self,
        rows: &[Claimed],
        connection: &mut Option<Connection>,
        batch: &mut Batch,
    ) -> Result<(), BatchError> {
        let addressees = self.addressees(rows).await?;
        for (row, addressee) in rows.iter().zip(addressees) {
            let (state, said) = match addressee {
                None => (LedgerState::Suppressed, "not written to".to_owned()),
                Some(addressee) => match self.message(*row, &addressee) {
                    Err(e) => (LedgerState::Suppressed, e.to_string()),
                    Ok(message) => {
                        let open = self.connection(connection).await?;
                        self.hand_over(open, addressee.email, &message).await?
                    }
                },
            };
            batch.settle(row.person, state, said);
            if batch.since.elapsed() > RECORD_EVERY {
                self.record(batch).await?;
            }
        }
        Ok(())
    }

    async fn hand_over(
        &self,
        connection: &mut Connection,
        to: Personal,
        message: &[u8],
    ) -> Result<(LedgerState, String), BatchError> {
        use cofferdam_mail::Outcome::{Accepted, Deferred, InDoubt, Refused};
        let envelope = Envelope { from: self.app.config.shop.mail_from.clone(), to };
        Ok(match connection.send(&envelope, message).await {
            Accepted(accepted) => (LedgerState::Accepted, accepted.receipt().to_owned()),
            Refused { code, reply } => (LedgerState::Bounced, format!("{code} {reply}")),
            InDoubt { cause } => (LedgerState::InDoubt, cause),
            // One person's mailbox, most likely: the others need not wait.
            Deferred { reply, .. } if connection.is_open() => (LedgerState::Planned, reply),
            Deferred { reply, .. } => return Err(BatchError::Deferred(reply)),
        })
    }

    /// Writes the outcomes down. A database that fails is given a few tries: what is not recorded
    /// would be in doubt.
    async fn record(&self, batch: &mut Batch) -> Result<(), BatchError> {
        let mut tries = 0;
        loop {
            let written =
                self.app.store.record(self.letter.letter, &batch.outcomes, self.app.now()).await;
            match written {
                Ok(()) => break,
                Err(e) if tries >= PATIENCE => return Err(e.into()),
                Err(e) => {
                    tracing::warn!(cause = %e, "outcomes could not be recorded; trying again");
                }
            }
            tries += 1;
            tokio::time::sleep(RECORD_EVERY).await;
        }
        batch.outcomes.clear();
        batch.since = Instant::now();
        Ok(())
    }

    /// The open connection, or a new one.
    async fn connection<'a>(
        &self,
        held: &'a mut Option<Connection>,
    ) -> Result<&'a mut Connection, BatchError> {
        if held.as_ref().is_some_and(|connection| !connection.is_open()) {
            *held = None;
        }
        if let Some(connection) = held {
            return Ok(connection);
        }
        let opened = Connection::open(&self.app.config.relay, self.app.name.as_str()).await?;
        Ok(held.insert(opened))
    }

    /// Name and address for each row, in their order; `None` where nobody is to be written to.
    async fn addressees(&self, rows: &[Claimed]) -> Result<Vec<Option<Addressee>>, BatchError> {
        if self.letter.audience == Audience::Staff {
            let member = |row: &Claimed| self.staff.get(row.person as usize);
            let addressee =
                |m: &roster::Member| Addressee { name: m.name.clone(), email: m.email.clone() };
            return Ok(rows.iter().map(|row| member(row).map(addressee)).collect());
        }
        let none = || Problem::new(ProblemKind::WarrantRefused, "the letter has no warrant");
        let warrant = self.letter.warrant.ok_or_else(none).map_err(BatchError::Contacts)?;
        let records: Vec<_> = rows.iter().map(|row| Record(row.person)).collect();
        if self.people == People::Roster {
            let contacts = read_contacts(&self.app, warrant, &records).await;
            let mut contacts = contacts.map_err(BatchError::Contacts)?;
            let addressee = |record| {
                let contact = contacts.remove(record)?;
                Some(Addressee { name: contact.name, email: contact.email })
            };
            return Ok(records.iter().map(addressee).collect());
        }
        let call = ReadContacts { warrant: warrant.to_string(), records };
        let answer = self.app.accounts.call(&call).await;
        let answer = answer.map_err(|e| BatchError::Contacts(e.into()))?;
        let mut contacts: HashMap<u32, Addressee> = answer
            .contacts
            .into_iter()
            .map(|c| (c.record.0, Addressee { name: c.name, email: c.email }))
            .collect();
        Ok(rows.iter().map(|row| contacts.remove(&row.person)).collect())
    }

    fn message(&self, row: Claimed, to: &Addressee) -> Result<Vec<u8>, letter::LetterError> {
        let texts = match self.letter.audience {
            Audience::Staff => self.facts.staff(&to.name)?,
            Audience::Customers => self.facts.customer(&to.name, row.fields)?,
        };
        let shop = &self.app.config.shop;
        let message = Message {
            from: &Mailbox {
                name: Some(Personal::new(shop.name.as_str())),
                address: Personal::new(shop.mail_from.as_str()),
            },
            to: &Mailbox { name: Some(to.name.clone()), address: to.email.clone() },
            subject: &texts.subject,
            date: self.facts.date(),
            message_id: &message_id(
                &self.letter.seed,
                self.letter.letter.0,
                row.person,
                &shop.message_id_domain,
            ),
            text: &texts.text,
            html: Some(&texts.html),
        };
        Ok(message.build()?)
    }
}
