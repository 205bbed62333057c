//! The `accounts` compartment: customers sealed field by field, password verifiers, sessions.
//!
//! May touch: its own database, `keys` (release, seal, passwords, passkeys, index, decoys) and the SMTP
//! relay for reset codes. It keeps no key past a request, and no full card number. Called by: the app
//! servers of the shop, and `response` (orders, coarse attributes, contacts).

mod app;
mod at_rest;
mod config;
mod confine;
pub mod domain;
mod enrol;
mod loops;
mod passkey;
mod post;
mod reading;
mod routes;
mod session;
mod sign_in;
pub mod store;
mod voiding;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{Clock, Compartment, Domain, Rng};
use cofferdam_custody::Quorum;
use cofferdam_store::{DiskWatch, StoreError};
use cofferdam_wire::{Client, Identity, IdentityError, Listener, ServeError};
use keys_client::{
    HalfError, Halves, MadeHalf, OwnState, StateDifference, StateError, StateParts, Vault,
    follow_holds, follow_revoked, make_halves, open_halves,
};

pub use config::{Config, MailDomains};

use app::{App, Parts};
use loops::ResetLoop;
use post::Post;
use store::Store;

/// The paths of every call, for the test that makes each without a right to it.
#[must_use]
pub fn paths() -> Vec<&'static str> {
    routes::routes().paths()
}

/// The OpenAPI document of the compartment.
#[must_use]
pub fn openapi() -> serde_json::Value {
    routes::routes().openapi(&routes::ABOUT)
}

/// The time that waiting letters get after the server was told to stop.
const GRACE: Duration = Duration::from_secs(10);

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
    /// The state is not the newest, or can't be checked.
    #[error(transparent)]
    State(#[from] StateError),
    /// A half of keys can't be made or read.
    #[error(transparent)]
    Half(#[from] HalfError),
    /// The address can't be bound.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// The compartment, bound to its address and not yet serving.
pub struct Server {
    identity: Identity,
    listener: Listener,
    app: Arc<App>,
    resets: ResetLoop,
    state: OwnState,
    keys: Client,
}

impl Server {
    /// Opens the database, waits until `keys` says that it is the newest, and binds the address.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StartError> {
        let identity = Identity::load_compartment(Compartment::Accounts, &config.tls)?;
        let store = Store::open(&config.database).await?;
        store.db().claim()?;
        identity.revoked().add(store.db().revoked_keys().await?);
        let holds = async |span| store.holds_under(span).await;
        let halves = open_halves(Domain::Accounts, store.db(), &config.halves, holds).await;
        // A lost database knows no half. That it is not the newest says more.
        let halves = match halves {
            Err(e) if !matches!(e, HalfError::NotMade(_)) => return Err(e.into()),
            opened => opened,
        };
        let state = own_state(&config, &identity, &store, &clock, &*rng);
        let given = state.open(store.numbers_held().await?).await?;
        store.db().skip_numbers(given).await?;
        let halves = halves?;
        let post = Post::new(&config.relay, &config.mail_from, rng.clone());
        let (queue, resets) = ResetLoop::new(store.clone(), post, clock.clone(), rng.clone());
        let parts = Parts { store, halves, resets: queue, clock, rng };
        let app = App::new(&config, &identity, parts).await?;
        let keys = Client::any(Compartment::Keys, &config.keys, &identity);
        let listener = Listener::bind(config.listen).await?.tell_health(state.health());
        tracing::info!(address = %listener.address(), "listening");
        Ok(Self { identity, listener, app: Arc::new(app), resets, state, keys })
    }

    /// The address on which it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Serves until `stop` ends, then sends the letters that are waiting.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { identity, listener, app, resets, state, keys } = self;
        let health = state.health();
        let stop = async move { state.keep_until(stop, 0).await };
        let (revoked, db) = (app.revoked.clone(), app.store.db().clone());
        let confirming = tokio::spawn(follow_holds(keys.clone(), db.clone()));
        let groups = tokio::spawn(app.groups.clone().follow(keys.clone()));
        let naming = tokio::spawn(loops::name_voided(app.clone()));
        let following = tokio::spawn(follow_revoked(keys, revoked.clone(), db.clone()));
        let keeping_up = tokio::spawn(loops::keep_up(app.clone(), health));
        let letters = tokio::spawn(resets.run());
        let sweep = tokio::spawn(loops::sweep(app.clone()));
        let reseal = tokio::spawn(loops::reseal(app.clone(), identity.name().clone()));
        let door = app.clone();
        let listener = listener.keep_room_for(move |caller| door.has_role(caller));
        let listener = listener.refuse_keys(revoked);
        listener.serve(&identity, routes::router(app.clone()), stop).await;
        keeping_up.abort();
        app.orders.leave().await;
        following.abort();
        confirming.abort();
        groups.abort();
        naming.abort();
        sweep.abort();
        reseal.abort();
        // The queue of letters ends with its last sender, which the state holds.
        drop(app);
        if tokio::time::timeout(GRACE, letters).await.is_err() {
            tracing::warn!("letters with reset codes were left unsent");
        }
        db.close().await;
    }
}

/// Runs the compartment until `stop` ends.
pub async fn serve(
    config: Config,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    tokio::pin!(stop);
    let server = tokio::select! {
        server = Server::start(config, clock, rng) => server?,
        () = &mut stop => return Ok(()),
    };
    server.run(stop).await;
    Ok(())
}

/// Makes the secrets of the halves that the configuration names and the database does not know. Fails
/// while the compartment runs.
pub async fn make_missing_halves(
    config: &Config,
    quorum: Quorum,
    rng: &dyn Rng,
) -> Result<Vec<MadeHalf>, StartError> {
    let store = Store::open(&config.database).await?;
    store.db().claim_stopped().await?;
    let sealed_upto = store.sealed_upto().await?;
    let identity = Identity::load_compartment(Compartment::Accounts, &config.tls)?;
    let client = Client::any(Compartment::Keys, &config.keys, &identity);
    let keys = Vault::new(client, Halves::none(Domain::Accounts));
    let (db, halves) = (store.db(), &config.halves);
    let made = make_halves(&keys, db, halves, sealed_upto, quorum, rng).await;
    store.db().close().await;
    Ok(made?)
}

/// Compares the database with the newest state that `keys` knows. If they differ and `accept` is
/// set, this database becomes the newest.
pub async fn restore(
    config: Config,
    clock: Arc<dyn Clock>,
    rng: &dyn Rng,
    accept: bool,
) -> Result<Option<StateDifference>, StartError> {
    let identity = Identity::load_compartment(Compartment::Accounts, &config.tls)?;
    let store = Store::open(&config.database).await?;
    store.db().claim()?;
    let state = own_state(&config, &identity, &store, &clock, rng);
    let difference = state.restore(store.numbers_held().await?, accept).await;
    store.db().close().await;
    Ok(difference?)
}

fn own_state(
    config: &Config,
    identity: &Identity,
    store: &Store,
    clock: &Arc<dyn Clock>,
    rng: &dyn Rng,
) -> OwnState {
    let client = Client::any(Compartment::Keys, &config.keys, identity);
    let disks = DiskWatch::new(config.database.directory(), config.least_free_mib);
    let parts = StateParts { db: store.db().clone(), disks, clock: clock.clone() };
    OwnState::new(Domain::Accounts, client, parts, rng)
}
