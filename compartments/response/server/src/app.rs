//! The state that routes, acts and loops share.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use cofferdam_core::{CallerName, Clock, Rng, Timestamp, whole_milliseconds};
use cofferdam_store::StoreError;
use cofferdam_wire::{Client, Problem, RevokedKeys};
use keys_client::OwnState;
use response_api::{Exposure, INCIDENT_CLOSED, Incident, IncidentId, LetterId, NOT_SCOPED};
use response_exposure::{Levels, Population};
use response_letter::Files;
use response_mailing::{Letter, MailRoom};
use tokio::sync::Mutex;

use crate::Config;
use crate::acts::letters::Planning;
use crate::anchoring::Anchoring;
use crate::brought_contacts::BroughtContacts;
use crate::logs::Logs;
use crate::loops::Customers;
use crate::mailroom::{DnsReceivers, WeightedRelays};
use crate::pages::ApprovedSubjects;
use crate::returned_seal::ReturnedSeal;
use crate::store::{Finding, Store};

/// The state of the compartment.
pub struct App {
    /// The configuration, `response.toml`.
    pub config: Config,
    /// The compartment's own name as a caller: warrants name it.
    pub name: CallerName,
    /// The clock of every recorded instant.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub rng: Arc<dyn Rng>,
    /// The tables of `response`.
    pub store: Store,
    /// The state that the database is, which `keys` compares with the newest.
    pub state: OwnState,
    /// The clients of the other compartments.
    pub compartments: Compartments,
    /// The revoked keys of certificates.
    pub revoked: RevokedKeys,
    /// The release logs, and the keys with which we sign.
    pub logs: Logs,
    /// The state of anchoring the journals in them.
    pub anchoring: Anchoring,
    /// The people whose data may be exposed.
    pub people: PeopleCache,
    /// The office that writes, sends and checks letters.
    pub letters: LetterOffice,
    /// Held while a void order is given, so that the finding about it is that of the widest one.
    pub voiding: Mutex<()>,
    /// The turn for each caller that was frozen or thawed since the start.
    pub freezing: std::sync::Mutex<HashMap<CallerName, Arc<Mutex<()>>>>,
}

/// The clients of the other compartments, with the controller's certificate.
pub struct Compartments {
    /// The instance of `keys` that answers.
    pub keys: Client,
    /// The client of `accounts`.
    pub accounts: Client,
    /// The client of `payments`.
    pub payments: Client,
}

/// The people whose data may be exposed, as far as they are in memory.
pub struct PeopleCache {
    /// The customers of `accounts`.
    pub customers: Mutex<Customers>,
    /// The contacts of the brought table.
    pub brought_contacts: BroughtContacts,
    /// Held while a page of the table is imported, because record numbers are dense. The first number
    /// of a page that failed, which the next page takes.
    pub import: Mutex<Option<u32>>,
    /// The people of the brought table, once a call has needed them.
    brought: Mutex<Option<Arc<Population>>>,
    /// The bitmaps of the exposure that was used last.
    levels: Mutex<Option<CachedLevels>>,
}

/// The bitmaps of an exposure, with the instant of its computation.
struct CachedLevels {
    incident: IncidentId,
    computed: Timestamp,
    levels: Arc<Levels>,
}

/// Everything that writes, sends and checks letters.
pub struct LetterOffice {
    /// The mail room, which sends letters.
    pub room: Arc<MailRoom>,
    /// The relays, for the gate.
    pub relays: Arc<WeightedRelays>,
    /// The receivers' view; `None` if the gate is open.
    pub receivers: Option<Arc<DnsReceivers>>,
    /// The texts of new drafts.
    pub files: Files,
    /// Seals what came back and was not understood.
    pub returned: ReturnedSeal,
    /// The letters that are being planned.
    pub planning: Mutex<HashMap<LetterId, Planning>>,
    /// The subjects and dates that the public page shows for approved versions.
    pub subjects: Mutex<HashMap<LetterId, Arc<ApprovedSubjects>>>,
}

impl PeopleCache {
    /// Makes a cache that holds nobody yet.
    pub fn new(brought_contacts: BroughtContacts) -> Self {
        Self {
            customers: Mutex::default(),
            brought_contacts,
            import: Mutex::default(),
            brought: Mutex::new(None),
            levels: Mutex::new(None),
        }
    }

    /// Forgets the bitmaps of the exposure that was used last, because another one was computed. Two
    /// scopes of one millisecond have the same instant.
    pub async fn forget_levels(&self) {
        *self.levels.lock().await = None;
    }

    /// Keeps the people of the brought table, as they were just counted.
    pub async fn set_brought(&self, population: Arc<Population>) {
        *self.brought.lock().await = Some(population);
    }
}

impl App {
    /// The time now, to the millisecond, as it is stored.
    pub fn now(&self) -> Timestamp {
        whole_milliseconds(self.clock.now())
    }

    /// Reads the incident with this number.
    pub async fn incident(&self, id: IncidentId) -> Result<Incident, Problem> {
        let found = self.store.incident(id).await?;
        found.ok_or_else(|| Problem::not_found(format!("there is no incident {id}")))
    }

    /// Reads the incident with this number, which must be open.
    pub async fn open_incident(&self, id: IncidentId) -> Result<Incident, Problem> {
        let incident = self.incident(id).await?;
        match incident.closed {
            None => Ok(incident),
            Some(at) => {
                let what = format!("incident {id} was closed at {at}");
                Err(Problem::new(INCIDENT_CLOSED, what))
            }
        }
    }

    /// Reads the exposure of an incident, which must have been scoped.
    pub async fn exposure(&self, id: IncidentId) -> Result<Exposure, Problem> {
        let found = self.store.finding(id, Finding::Exposure).await?;
        let missing = || Problem::new(NOT_SCOPED, format!("incident {id} has not been scoped"));
        found.ok_or_else(missing)
    }

    /// The bitmaps of an exposure.
    pub async fn levels(&self, exposure: &Exposure) -> Result<Arc<Levels>, StoreError> {
        let (incident, computed) = (exposure.incident, exposure.computed);
        let mut cached = self.people.levels.lock().await;
        if let Some(cached) = &*cached
            && (cached.incident, cached.computed) == (incident, computed)
        {
            return Ok(cached.levels.clone());
        }
        let levels = Arc::new(self.store.levels(incident).await?);
        *cached = Some(CachedLevels { incident, computed, levels: levels.clone() });
        Ok(levels)
    }

    /// The people of the brought table, as they were counted last.
    pub async fn brought(&self) -> Result<Arc<Population>, StoreError> {
        let mut brought = self.people.brought.lock().await;
        if let Some(population) = &*brought {
            return Ok(population.clone());
        }
        let population = Arc::new(self.store.brought().await?);
        *brought = Some(population.clone());
        Ok(population)
    }

    /// Reads the letter with this number.
    pub async fn letter(&self, id: LetterId) -> Result<Letter, Problem> {
        let found = self.store.letter(id).await?;
        found.ok_or_else(|| Problem::not_found(format!("there is no letter {id}")))
    }

    /// The turn of a freeze or thaw of `caller`.
    pub fn turn_of(&self, caller: &CallerName) -> Arc<Mutex<()>> {
        let mut turns = self.freezing.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(caller.clone()).or_default().clone()
    }
}
