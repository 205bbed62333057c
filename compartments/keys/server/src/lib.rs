//! The `keys` compartment: releases field keys, hardens passwords, indexes addresses, and writes
//! every release to a log before the answer leaves.
//!
//! May touch: its own secrets, log directory and database; it calls nobody, and holds no
//! customer data, not even ciphertext. Called by: `accounts` and `payments` (fronts, for the
//! callers that they serve) and `response` (the controller: freeze, warrants, log, alarms).

mod alarms;
pub mod ceremony;
mod config;
mod domain;
mod log;
mod routes;
mod store;

use std::future::Future;
use std::sync::Arc;

use cofferdam_core::Clock;
use cofferdam_store::{Db, StoreError};
use cofferdam_wire::{ConfigError, Identity, IdentityError, Listener, ServeError};

pub use config::{BudgetConfig, CallerConfig, Config};
pub use log::LogError;

use routes::App;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A file of the configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What the configuration says makes no sense.
    #[error("the configuration makes no sense: {0}")]
    Nonsense(String),
    /// A secret has the wrong form.
    #[error(transparent)]
    Secret(#[from] ceremony::SecretError),
    /// The certificate can't be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The release log can't be trusted, or not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The address can't be bound.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Runs the compartment until `stop` ends.
pub async fn serve(
    config: Config,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let identity = Identity::load(&config.tls)?;
    let db = Db::open(&config.database, store::MIGRATIONS).await?;
    let app = Arc::new(App::open(&config, db, clock).await?);
    let listener = Listener::bind(config.listen).await?;
    tracing::info!(address = %listener.address(), log = app.log.size(), "keys is listening");
    let flusher = tokio::spawn(app.clone().keep_alarms());
    listener.serve(&identity, routes::router(app.clone()), stop).await;
    flusher.abort();
    app.alarms.flush().await?;
    app.log.close().await?;
    Ok(())
}
