//! Starting the compartment, and serving until it is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use cofferdam_core::{CallerName, Clock, Compartment, Domain, Rng};
use cofferdam_custody::Quorum;
use cofferdam_mail::serve_intake;
use cofferdam_store::{DiskWatch, StoreError};
use cofferdam_wire::{Client, Identity, IdentityError, Listener, ServeError, TaskLost, blocking};
use keys_client::{
    HalfError, Halves, MadeHalf, OwnState, StateDifference, StateError, StateParts, Vault,
    follow_revoked, make_halves, open_halves,
};
use response_letter::LetterCodes;
use response_mailing::{MailRoom, MailingError, Ports, recover};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::address_index::AddressIndex;
use crate::anchoring::Anchoring;
use crate::app::{App, Compartments, LetterOffice, PeopleCache};
use crate::brought_contacts::BroughtContacts;
use crate::config::{Config, LettersConfig};
use crate::logs::{Logs, LogsError};
use crate::loops::{Returns, anchor_journals, follow_customers, follow_logs, hold_claims};
use crate::mailroom::{AccountsLoad, MailSetup, NoteFiles, SetupError, StoredContacts};
use crate::own_key::OwnKeyError;
use crate::pages::serve_public;
use crate::returned_seal::ReturnedSeal;
use crate::routes::router;
use crate::store::Store;

/// A server that does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The certificate can't be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A copy of a release log, or the key that cosigns it, can't be used.
    #[error(transparent)]
    Logs(#[from] LogsError),
    /// The key that hashes addresses, or the one that seals returned mail, can't be used.
    #[error(transparent)]
    OwnKey(#[from] OwnKeyError),
    /// Letters can't be sent as configured.
    #[error(transparent)]
    Mail(#[from] SetupError),
    /// The sending notes can't be used.
    #[error("sending notes: {0}")]
    Notes(std::io::Error),
    /// The letters of an earlier process can't be settled.
    #[error("letters of an earlier process: {0}")]
    Recovery(#[from] MailingError),
    /// Return addresses need a domain.
    #[error("letters.return_listen needs letters.return_domain, the domain that letters bounce to")]
    ReturnDomain,
    /// A public directory or address can't be used.
    #[error("{place}: {source}")]
    Public {
        /// The path of the directory, or the address.
        place: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The state is not the newest.
    #[error(transparent)]
    State(#[from] StateError),
    /// A half of keys can't be made or read.
    #[error(transparent)]
    Half(#[from] HalfError),
    /// The address can't be bound.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A part of the start panicked.
    #[error(transparent)]
    Lost(#[from] TaskLost),
}

/// The compartment, bound to its addresses and not yet serving.
pub struct Server {
    identity: Identity,
    listener: Listener,
    public: TcpListener,
    /// The listener for returned mail, and the domain of return addresses.
    returns: Option<(TcpListener, String)>,
    app: Arc<App>,
    /// The number behind the last record number of the brought table, at the start.
    numbers: u32,
}

impl Server {
    /// Opens database and logs, settles the letters of an earlier process, and binds all addresses.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StartError> {
        let identity = Identity::load_compartment(Compartment::Response, &config.tls)?;
        let public = bind_public(&config).await?;
        let returns = bind_returns(&config.letters).await?;
        let listener = Listener::bind(config.listen).await?;
        let app = Arc::new(open_app(config, &identity, clock, rng).await?);
        let numbers = app.store.next_brought_record().await?;
        recover(app.letters.room.ports()).await?;
        tracing::info!(address = %listener.address(), "listening");
        let listener = listener.tell_health(app.state.health());
        Ok(Self { identity, listener, public, returns, app, numbers })
    }

    /// The address on which it listens for staff.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Serves until `stop` ends. Letters that are on the wire then still go out.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { identity, listener, public, returns, app, numbers } = self;
        let state = app.state.clone();
        let stop = async move { state.keep_until(stop, numbers).await };
        let mut loops = vec![
            tokio::spawn(serve_public(app.clone(), public)),
            tokio::spawn(follow_logs(app.clone())),
            tokio::spawn(anchor_journals(app.clone())),
            tokio::spawn(follow_customers(app.clone())),
            tokio::spawn(follow_revoked(
                app.compartments.keys.clone(),
                app.revoked.clone(),
                app.store.db().clone(),
            )),
            tokio::spawn(hold_claims(app.clone())),
            tokio::spawn(app.letters.room.clone().send_letters()),
        ];
        loops.extend(returns.map(|(listener, domain)| {
            let taker = Arc::new(Returns::new(app.clone(), domain));
            tokio::spawn(serve_intake(listener, taker, std::future::pending()))
        }));
        let staff = app.config.staff.clone();
        let listener = listener.keep_room_for(move |caller| staff.contains(caller));
        let listener = listener.refuse_keys(app.revoked.clone());
        listener.serve(&identity, router(app.clone()), stop).await;
        loops.iter().for_each(tokio::task::JoinHandle::abort);
        app.letters.room.close().await;
        app.store.db().close().await;
    }
}

/// Runs the compartment until `stop` ends.
pub async fn serve(
    config: Config,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    Server::start(config, clock, rng).await?.run(stop).await;
    Ok(())
}

/// Compares the database with the newest state that `keys` knows. If they differ and `accept` is
/// set, this database becomes the newest.
pub async fn restore(
    config: Config,
    clock: Arc<dyn Clock>,
    rng: &dyn Rng,
    accept: bool,
) -> Result<Option<StateDifference>, StartError> {
    let identity = Identity::load_compartment(Compartment::Response, &config.tls)?;
    let store = Store::open(&config.database).await?;
    store.db().claim()?;
    let keys = keys_of(&config, &identity);
    let state = OwnState::new(Domain::Response, keys, parts(&config, &store, &clock), rng);
    let difference = state.restore(store.next_brought_record().await?, accept).await;
    store.db().close().await;
    Ok(difference?)
}

/// Makes the secrets of the halves that the configuration names and the database does not know. On a
/// SQLite file, it fails while the compartment runs.
pub async fn make_missing_halves(
    config: &Config,
    quorum: Quorum,
    rng: &dyn Rng,
) -> Result<Vec<MadeHalf>, StartError> {
    let store = Store::open(&config.database).await?;
    store.db().claim()?;
    let sealed_upto = store.brought_sealed_upto().await?;
    let identity = Identity::load_compartment(Compartment::Response, &config.tls)?;
    let keys = Vault::new(keys_of(config, &identity), Halves::none(Domain::Response));
    let (db, halves) = (store.db(), &config.halves);
    let made = make_halves(&keys, db, halves, sealed_upto, quorum, rng).await;
    store.db().close().await;
    Ok(made?)
}

/// The database, and every directory that the compartment writes to.
fn parts(config: &Config, store: &Store, clock: &Arc<dyn Clock>) -> StateParts {
    let dirs = [&config.log_copy, &config.notice_dir, &config.letters.state];
    let dirs = dirs.into_iter().cloned().chain(config.database.directory());
    let disks = DiskWatch::new(dirs, config.least_free_mib);
    StateParts { db: store.db().clone(), disks, clock: clock.clone() }
}

fn keys_of(config: &Config, identity: &Identity) -> Client {
    let urls: Vec<_> = config.keys.iter().map(|instance| &instance.url).collect();
    Client::any(Compartment::Keys, &urls, identity)
}

fn compartments_of(config: &Config, identity: &Identity) -> Compartments {
    Compartments {
        keys: keys_of(config, identity),
        accounts: Client::any(Compartment::Accounts, &config.accounts, identity),
        payments: Client::any(Compartment::Payments, &config.payments, identity),
    }
}

async fn open_app(
    config: Config,
    identity: &Identity,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> Result<App, StartError> {
    let store = Store::open(&config.database).await?;
    store.db().claim()?;
    identity.revoked().add(store.db().revoked_keys().await?);
    let logs = Logs::open(&config, identity)?;
    let compartments = compartments_of(&config, identity);
    let (keys, name) = (compartments.keys.clone(), identity.name().clone());
    let state = OwnState::new(Domain::Response, keys, parts(&config, &store, &clock), &*rng);
    // Staff need this compartment most of all when `keys` is down.
    state.open_if_answered(store.next_brought_record().await?).await?;
    let brought = open_brought(&config, &store, &compartments, &name, &rng).await?;
    let codes = LetterCodes::new(&store.letter_key(rng.bytes()).await?);
    let setup = MailSetup::open(&config, codes, name.as_str())?;
    let notes = open_notes(&config).await?;
    let (relays, receivers) = (Arc::new(setup.relays), setup.receivers.map(Arc::new));
    let contacts = StoredContacts {
        store: store.clone(),
        staff_list: config.staff_list.clone(),
        accounts: compartments.accounts.clone(),
        keys: compartments.keys.clone(),
        brought: brought.clone(),
    };
    let ports = Ports {
        letters: Arc::new(store.clone()),
        ledger: Arc::new(store.clone()),
        contacts: Arc::new(contacts),
        relay: relays.clone(),
        notes: Arc::new(notes),
        receivers: receivers.clone().map(|receivers| receivers as _),
        reset_pages: Arc::new(AccountsLoad(compartments.accounts.clone())),
        composer: Arc::new(setup.composer),
        rules: Arc::new(config.letters.rules()),
        clock: clock.clone(),
        rng: rng.clone(),
    };
    let letters = LetterOffice {
        room: Arc::new(MailRoom::new(ports)),
        relays,
        receivers,
        files: setup.files,
        returned: ReturnedSeal::open(&config.letters.state, &*rng)?,
        planning: Mutex::default(),
        subjects: Mutex::default(),
    };
    Ok(App {
        config,
        name,
        clock,
        rng,
        store,
        state,
        compartments,
        revoked: identity.revoked().clone(),
        logs,
        anchoring: Anchoring::default(),
        people: PeopleCache::new(brought),
        letters,
        voiding: Mutex::default(),
        freezing: std::sync::Mutex::default(),
    })
}

async fn open_brought(
    config: &Config,
    store: &Store,
    compartments: &Compartments,
    name: &CallerName,
    rng: &Arc<dyn Rng>,
) -> Result<BroughtContacts, StartError> {
    let holds = async |span| store.holds_under(span).await;
    let halves = open_halves(Domain::Response, store.db(), &config.halves, holds).await?;
    let vault = Vault::new(compartments.keys.clone(), halves);
    let index = Arc::new(AddressIndex::open(&config.log_copy.join("access-logs"), &**rng)?);
    Ok(BroughtContacts::new(store.clone(), vault, name.clone(), index, rng.clone()))
}

async fn open_notes(config: &Config) -> Result<NoteFiles, StartError> {
    let dir = config.letters.state.clone();
    blocking(move || NoteFiles::open(&dir)).await?.map_err(StartError::Notes)
}

async fn bind_public(config: &Config) -> Result<TcpListener, StartError> {
    let failed = |place: String| move |source| StartError::Public { place, source };
    std::fs::create_dir_all(&config.notice_dir)
        .map_err(failed(config.notice_dir.display().to_string()))?;
    let listener = TcpListener::bind(config.notice_listen).await;
    listener.map_err(failed(config.notice_listen.to_string()))
}

async fn bind_returns(config: &LettersConfig) -> Result<Option<(TcpListener, String)>, StartError> {
    let Some(address) = config.return_listen else { return Ok(None) };
    let domain = config.return_domain.clone().ok_or(StartError::ReturnDomain)?;
    let listener = TcpListener::bind(address).await;
    let failed = |source| StartError::Public { place: address.to_string(), source };
    if config.complaints_from.is_empty() {
        tracing::warn!("letters.complaints_from is empty: no complaint will pause a provider");
    }
    Ok(Some((listener.map_err(failed)?, domain)))
}
