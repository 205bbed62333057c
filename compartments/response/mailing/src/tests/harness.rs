//! A mail room with its surroundings in memory. Time passes only while everything waits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cofferdam_core::{Clock, SeededRng, Timestamp};
use response_api::{Audience, IncidentId, LedgerState, LetterId, LetterState};
use response_letter::{
    Claim, Claims, Facts, Files, IdForm, LetterCodes, Locale, MessageIds, Sender, Shop, Told,
    Variant, Version,
};
use tokio::time::Instant;

use super::fakes::{FakeContacts, FakeLoad, FakeNotes, FakeReceivers, FakeRelay};
use crate::memory::MemoryLedger;
use crate::{
    Composer, Letter, MailRoom, MailingRules, Ports, ProviderConfig, Recipient, RetryConfig, Row,
};

pub const LETTER: LetterId = LetterId(1);

/// The surroundings of a mail room.
#[derive(Clone)]
pub struct World {
    pub ledger: Arc<MemoryLedger>,
    pub relay: FakeRelay,
    pub contacts: FakeContacts,
    pub notes: FakeNotes,
    pub receivers: Arc<FakeReceivers>,
    pub load: Arc<FakeLoad>,
    pub rules: MailingRules,
    clock: Arc<TokioClock>,
    /// The number of mail rooms so far: each has randomness of its own.
    lives: Arc<AtomicU64>,
}

impl World {
    /// Makes a running letter to `people` customers, in planned batches of `batch`.
    pub fn new(people: u32, batch: u32) -> Self {
        let began = "2012-01-15T18:00:00Z".parse().unwrap();
        let world = Self {
            ledger: Arc::default(),
            relay: FakeRelay::default(),
            contacts: FakeContacts::default(),
            notes: FakeNotes::default(),
            receivers: Arc::default(),
            load: Arc::default(),
            rules: MailingRules {
                providers: vec![ProviderConfig {
                    domains: vec!["big.example".into()],
                    ..ProviderConfig::unlimited("big", 2)
                }],
                connections: 2,
                retry: RetryConfig { first: 60, most: 600, attempts: 4 },
                reset_pages_busy: None,
            },
            clock: Arc::new(TokioClock(Mutex::new((began, Some(Instant::now()))))),
            lives: Arc::default(),
        };
        let version = version();
        let letter = letter(&version);
        world.ledger.add_letter(letter, version.to_json(), vec![locale()]);
        let all: Vec<_> = (0..people).rev().map(recipient).collect();
        for (number, rows) in (1..).zip(all.chunks(batch as usize)) {
            world.ledger.plan(LETTER, number, rows, world.now());
        }
        world
    }

    pub fn ports(&self) -> Ports {
        Ports {
            letters: self.ledger.clone(),
            ledger: self.ledger.clone(),
            contacts: Arc::new(self.contacts.clone()),
            relay: Arc::new(self.relay.clone()),
            notes: Arc::new(self.notes.clone()),
            receivers: Some(self.receivers.clone()),
            reset_pages: self.load.clone(),
            composer: Arc::new(composer()),
            rules: Arc::new(self.rules.clone()),
            clock: self.clock.clone(),
            rng: Arc::new(SeededRng::new(self.lives.fetch_add(1, Ordering::Relaxed))),
        }
    }

    /// Opens a mail room that sends by itself.
    pub fn open(&self) -> (Arc<MailRoom>, tokio::task::JoinHandle<()>) {
        let room = Arc::new(MailRoom::new(self.ports()));
        (room.clone(), tokio::spawn(room.send_letters()))
    }

    /// Lets time pass until a condition holds, and fails after an hour.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            let waited = started.elapsed();
            assert!(waited < Duration::from_hours(1), "{what}: {:?}", self.states());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn until_finished(&self) {
        self.until("finished", |world| world.state() == LetterState::Finished).await;
    }

    pub fn state(&self) -> LetterState {
        self.ledger.letter(LETTER).unwrap().state
    }

    pub fn trouble(&self) -> String {
        self.ledger.letter(LETTER).unwrap().trouble
    }

    pub fn rows(&self) -> Vec<Row> {
        self.ledger.rows(LETTER)
    }

    /// The number of rows in each state.
    pub fn states(&self) -> BTreeMap<LedgerState, usize> {
        let mut states = BTreeMap::new();
        for row in self.rows() {
            *states.entry(row.state).or_default() += 1;
        }
        states
    }

    pub fn count(&self, state: LedgerState) -> usize {
        self.states().get(&state).copied().unwrap_or(0)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The address of a person. Every third person has a mailbox at the big provider.
pub fn address(person: u32) -> String {
    let domain = if person.is_multiple_of(3) { "big.example" } else { "small.example" };
    format!("p{person}@{domain}")
}

fn recipient(person: u32) -> Recipient {
    Recipient { person, told: Told::default(), locale: 0 }
}

fn locale() -> Locale {
    Locale { language: "en".into(), jurisdiction: String::new() }
}

fn letter(version: &Version) -> Letter {
    Letter {
        letter: LETTER,
        incident: IncidentId(1),
        audience: Audience::Customers,
        ids: MessageIds::new(LETTER, IdForm::Sealed, vec![7; 32]),
        warrant: None,
        planned: true,
        state: LetterState::Running,
        version: Some(version.id()),
        trouble: String::new(),
        started: None,
        finished: None,
    }
}

/// A version with one text, for customers who lost nothing.
pub fn version() -> Version {
    let at: Timestamp = "2012-01-15T12:00:00Z".parse().unwrap();
    let hold = [Claim::CardsUntouched, Claim::Contained, Claim::Voided].into_iter().collect();
    let Shop {
        name, web_address, verify_address, support_email, signatory, signatory_title, ..
    } = shop();
    Version {
        audience: Audience::Customers,
        facts: Facts {
            written: at,
            incident: 1,
            began: at,
            ended: at,
            discovered: at,
            claims: Claims { hold, voided_until: Some(at) },
            exposed: 1,
            customers: 2,
            shop: Sender {
                name,
                web_address,
                verify_address,
                support_email,
                signatory,
                signatory_title,
            },
            measures: BTreeMap::new(),
            police_delay: BTreeMap::new(),
        },
        files: Files::shipped(),
        domains: vec!["shop.example".into()],
        variants: vec![Variant { locale: locale(), told: Told::default() }],
    }
}

fn shop() -> Shop {
    Shop {
        name: "Shoeleather".into(),
        web_address: "shop.example".into(),
        support_email: "help@shop.example".into(),
        mail_from: "news@shop.example".into(),
        signatory: "Tony Hale".into(),
        signatory_title: "Chief Executive".into(),
        message_id_domain: "letters.shop.example".into(),
        verify_address: "shop.example/verify".into(),
        measures: BTreeMap::new(),
        police_delay: BTreeMap::new(),
    }
}

fn composer() -> Composer {
    let codes = LetterCodes::new(&[3; 32]);
    Composer { shop: shop(), codes, dkim: vec![], return_domain: Some("back.example".into()) }
}

/// Runs one life of this process. At its end every task dies where it is, as under `kill -9`.
pub fn live<T>(world: &World, life: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        world.clock.resume();
        let result = life.await;
        world.clock.suspend();
        result
    })
}

/// Wall time that follows the runtime's time, and stands still between two lives.
struct TokioClock(Mutex<(Timestamp, Option<Instant>)>);

impl TokioClock {
    fn resume(&self) {
        lock(&self.0).1 = Some(Instant::now());
    }

    fn suspend(&self) {
        let now = self.now();
        *lock(&self.0) = (now, None);
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let (base, since) = *lock(&self.0);
        base.checked_add(since.map_or(Duration::ZERO, |since| since.elapsed())).unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
