//! The `keys` compartment: releases field keys, hardens passwords, indexes addresses, and writes
//! every release to a log before the answer leaves.
//!
//! May touch: its own secrets, log directory and database, and the places to which alarms are
//! sent; it calls no compartment, and holds no customer data, not even ciphertext. Called by:
//! `accounts` and `payments` (fronts, for the callers that they serve) and `response` (the
//! controller: freeze, orders, log, alarms).

mod app;
pub mod ceremony;
mod config;
mod confine;
mod delivery;
mod domain;
mod log;
mod loops;
mod routes;
mod store;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use cofferdam_core::{Clock, Compartment, Rng};
use cofferdam_store::{Db, StoreError};
use cofferdam_wire::{Identity, IdentityError, Listener, ServeError, init_metrics};

pub use config::Config;
pub use delivery::{DeliveryError, SinkConfig};
pub use log::LogError;

use app::App;
use delivery::Sink;
use loops::AlarmDelivery;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

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

/// A server that does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The secrets can't be read.
    #[error(transparent)]
    Secrets(#[from] ceremony::CeremonyError),
    /// There is no policy, so nobody may do anything.
    #[error("there is no policy: the ceremony was not held")]
    NoPolicy,
    /// The certificate can't be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The release log can't be trusted, or not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A place for alarms can't be used.
    #[error(transparent)]
    Alarms(#[from] DeliveryError),
    /// Two sinks have one name, under which the database notes the last delivered alarm of each.
    #[error("two of the [[alarms]] are called {0:?}; give each a name of its own")]
    SameName(String),
    /// The address can't be bound.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Runs the compartment until `stop` ends.
pub async fn serve(
    config: Config,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    init_metrics();
    let identity = Identity::load_compartment(Compartment::Keys, &config.tls)?;
    let sinks = sinks(&config)?;
    let db = Db::open(&config.database, store::MIGRATIONS).await?;
    db.claim()?;
    // A start holds what the log recalls: that lies on the heap.
    let app =
        Arc::new(Box::pin(App::open(&config, &identity, db.clone(), clock.clone(), rng)).await?);
    let (refused, knocks) = mpsc::channel(64);
    let listener =
        Listener::bind(config.listen).await?.tell_refused(refused).tell_health(app.health.clone());
    tracing::info!(address = %listener.address(), log = app.log.size(), "keys is listening");
    let mut beside = JoinSet::new();
    beside.spawn(loops::follow_orders(app.clone()));
    beside.spawn(loops::keep_up(app.clone()));
    beside.spawn(loops::watch_door(app.clone(), knocks));
    beside.spawn(loops::watch_log(app.clone()));
    beside.spawn(loops::watch_disks(app.clone()));
    beside.spawn(loops::search_database(app.clone()));
    for sink in sinks {
        beside.spawn(AlarmDelivery::new(db.clone(), clock.clone(), sink).run());
    }
    let door = app.clone();
    let listener = listener.keep_room_for(move |caller| door.roles.has_role(caller));
    let listener = listener.refuse_keys(app.shared.refused_keys());
    listener.serve(&identity, routes::routes().into_router(app.clone()), stop).await;
    beside.shutdown().await;
    app.shared.leave().await;
    app.alarms.flush(app.now().await).await;
    app.numbers.save().await?;
    app.log.close().await?;
    // SQLite then holds everything in its one file, which an operator may copy.
    db.close().await;
    Ok(())
}

fn sinks(config: &Config) -> Result<Vec<Sink>, StartError> {
    let mut names = BTreeSet::new();
    let again = config.alarms.iter().find(|sink| !names.insert(sink.name()));
    if let Some(again) = again {
        return Err(StartError::SameName(again.name().to_owned()));
    }
    let open = |sink| Sink::open(sink, &config.log_origin);
    Ok(config.alarms.iter().map(open).collect::<Result<_, _>>()?)
}
