//! What the endpoints and jobs share.

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, OnceLock};

use cofferdam_core::{CallerName, Clock, Rng, Timestamp};
use cofferdam_store::StoreError;
use cofferdam_tlog::notes::NoteKey;
use cofferdam_wire::{Client, Identity, Problem};
use response_api::{Exposure, FallenHost, Incident, IncidentId, LetterId, Level, Voided};
use tokio::sync::{Mutex, Notify, watch};
use tokio_util::task::TaskTracker;

use crate::Config;
use crate::domain::letter::Done;
use crate::domain::population::Population;
use crate::domain::scope::Bitmaps;
use crate::jobs::mailing::{MailSetup, Run};
use crate::jobs::{Approved, Customers, Planning};
use crate::logs::FollowedLog;
use crate::lookup::Lookup;
use crate::staff::Author;
use crate::store::{Act, Kind, Store};

/// Whose exposure, when it was computed, and who is exposed in what.
type Exposed = (IncidentId, Timestamp, Arc<Vec<(Level, Bitmaps)>>);

/// The keys that the compartment holds itself.
pub struct Secrets {
    /// Cosigns checkpoints.
    pub witness: NoteKey,
    /// Signs bags of evidence.
    pub sealer: NoteKey,
    /// Makes indexes of addresses.
    pub lookup: Lookup,
    /// What sending letters takes.
    pub mail: MailSetup,
}

/// The state of the compartment.
pub struct App {
    /// The configuration.
    pub config: Config,
    /// Its own name: the caller that warrants are for.
    pub name: CallerName,
    /// The tables.
    pub store: Store,
    /// The release logs, and their copies.
    pub logs: Vec<FollowedLog>,
    /// Cosigns their checkpoints.
    pub witness: NoteKey,
    /// Signs bags of evidence.
    pub sealer: NoteKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// The `keys` compartment, whichever instance answers.
    pub keys: Client,
    /// The `accounts` compartment.
    pub accounts: Client,
    /// The `payments` compartment.
    pub payments: Client,
    /// Who the customers are.
    pub customers: Mutex<Customers>,
    /// Who is on the roster, once it was asked for.
    roster: Mutex<Option<Arc<Population>>>,
    /// Held while a page of the roster is taken.
    pub roster_turn: Mutex<()>,
    /// Indexes of addresses.
    pub lookup: Lookup,
    /// The bitmaps of the exposure that was asked for last.
    exposed: Mutex<Option<Exposed>>,
    /// What sending letters takes.
    pub mail: MailSetup,
    /// What is shown of letters that somebody checks, of their approved versions.
    pub approved: Mutex<HashMap<LetterId, Arc<Approved>>>,
    /// Letters that this instance is sending.
    pub sending: Mutex<HashMap<LetterId, Arc<Run>>>,
    /// The tasks that send them.
    pub mailing: TaskTracker,
    /// Held while this process has the journals of letters.
    pub journals: OnceLock<File>,
    /// Letters that are being planned.
    pub planning: Mutex<HashMap<LetterId, Planning>>,
    /// A letter is to run, or to rest.
    pub letters_stirred: Notify,
    /// Held while an order to void is given: it is given once.
    pub voiding: Mutex<()>,
    /// Turns true when the compartment stops.
    pub stopping: watch::Sender<bool>,
}

impl App {
    /// Puts the parts together.
    pub fn new(
        config: Config,
        identity: &Identity,
        store: Store,
        logs: Vec<FollowedLog>,
        secrets: Secrets,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        let urls: Vec<_> = config.keys.iter().map(|instance| &instance.url).collect();
        Self {
            keys: Client::any(&urls, identity),
            accounts: Client::new(&config.accounts, identity),
            payments: Client::new(&config.payments, identity),
            name: identity.name().clone(),
            config,
            store,
            logs,
            witness: secrets.witness,
            sealer: secrets.sealer,
            clock,
            rng,
            customers: Mutex::new(Customers::default()),
            roster: Mutex::new(None),
            roster_turn: Mutex::new(()),
            lookup: secrets.lookup,
            exposed: Mutex::new(None),
            mail: secrets.mail,
            approved: Mutex::new(HashMap::new()),
            sending: Mutex::new(HashMap::new()),
            mailing: TaskTracker::new(),
            journals: OnceLock::new(),
            planning: Mutex::new(HashMap::new()),
            letters_stirred: Notify::new(),
            voiding: Mutex::new(()),
            stopping: watch::Sender::new(false),
        }
    }

    /// The time, to the millisecond as it is stored.
    pub fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Everybody on the roster, as it was last finished.
    pub async fn roster(&self) -> Result<Arc<Population>, StoreError> {
        let mut known = self.roster.lock().await;
        if let Some(people) = &*known {
            return Ok(people.clone());
        }
        let people = Arc::new(self.store.roster().await?);
        *known = Some(people.clone());
        Ok(people)
    }

    /// Counts the roster anew.
    pub async fn count_roster(&self) -> Result<Arc<Population>, StoreError> {
        let people = Arc::new(self.store.count_roster().await?);
        *self.roster.lock().await = Some(people.clone());
        Ok(people)
    }

    /// The incident with this number.
    pub async fn incident(&self, id: IncidentId) -> Result<Incident, Problem> {
        let found = self.store.incident(id).await?;
        found.ok_or_else(|| Problem::not_found(format!("there is no incident {id}")))
    }

    /// The exposure of an incident, which must have been scoped.
    pub async fn exposure(&self, id: IncidentId) -> Result<Exposure, Problem> {
        let found = self.store.finding(id, Kind::Exposure).await;
        found?.ok_or_else(|| not_scoped(id))
    }

    /// The bitmaps of the exposure that was computed at an instant.
    pub async fn exposed(
        &self,
        incident: IncidentId,
        computed: Timestamp,
    ) -> Result<Arc<Vec<(Level, Bitmaps)>>, StoreError> {
        let mut kept = self.exposed.lock().await;
        if let Some((id, at, exposed)) = &*kept
            && (*id, *at) == (incident, computed)
        {
            return Ok(exposed.clone());
        }
        let mut all = Vec::with_capacity(Level::ALL.len());
        for level in Level::ALL {
            all.push((level, self.store.bitmaps(incident, level).await?));
        }
        let exposed = Arc::new(all);
        *kept = Some((incident, computed, exposed.clone()));
        Ok(exposed)
    }

    /// What has been done about an incident so far.
    pub async fn done(&self, incident: &Incident) -> Result<Done, StoreError> {
        let id = incident.incident;
        let frozen = self.store.finding::<Vec<CallerName>>(id, Kind::Frozen).await?;
        let frozen = frozen.unwrap_or_default();
        let voided = self.store.finding::<Voided>(id, Kind::Voided).await?.is_some();
        // What asks under no name of its own can't be frozen: only the shop knows.
        let shut = |of: &FallenHost| of.kind.is_caller() && frozen.contains(&of.host);
        let contained = incident.fallen.iter().all(shut);
        Ok(Done { contained, voided })
    }

    /// Writes down an act of staff.
    pub async fn journal(
        &self,
        incident: IncidentId,
        by: &Author,
        action: &str,
        detail: &str,
    ) -> Result<(), Problem> {
        let act = Act { at: self.now(), by, action, detail };
        let written = self.store.journal(incident, &act).await;
        written.map_err(|e| Problem::internal(&e))
    }

    /// Asks the letters that are being sent to stop, and waits until they recorded where they are.
    pub async fn stop_letters(&self) {
        self.stopping.send_replace(true);
        for run in self.sending.lock().await.values() {
            run.halt();
        }
        self.mailing.close();
        self.mailing.wait().await;
    }
}

/// What is asked for takes a scope.
pub fn not_scoped(id: IncidentId) -> Problem {
    Problem::new(
        cofferdam_wire::ProblemType::CONFLICT,
        format!("incident {id} has not been scoped; run: cofferdam incident scope {id}"),
    )
}
