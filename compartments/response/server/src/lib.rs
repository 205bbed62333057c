//! The `response` compartment: incidents, verified copies of the release logs, exposure, orders to
//! contain, letters with a ledger, the notice and the report.
//!
//! May touch: its own database, log copy and notice directory; `keys`, `accounts` and `payments`
//! as their controller; the SMTP relay. Holds no password and no card; contact data passes through
//! only while a warrant is open, and is never stored. Called by: staff, through the CLI and the
//! console.

mod app;
mod config;
mod confine;
mod domain;
mod jobs;
mod log_copy;
pub mod logs;
mod lookup;
mod pages;
mod roster;
mod routes;
pub mod staff;
pub mod store;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use cofferdam_core::{Clock, Rng};
use cofferdam_store::StoreError;
use cofferdam_wire::{Identity, IdentityError, Listener, ServeError};

pub use config::{Config, KeysInstance, Shop};
pub use domain::{population, scope};
pub use jobs::scope::{pages, read as reading};
pub use log_copy::{CopyError, LogCopy};
pub use routes::PATHS;

use app::{App, Secrets};
use store::Store;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The certificate can't be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copied log can't be used.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Checkpoints can't be cosigned.
    #[error(transparent)]
    Witness(#[from] logs::WitnessError),
    /// Addresses can't be looked up.
    #[error(transparent)]
    Lookup(#[from] lookup::LookupError),
    /// The notice's directory can't be made.
    #[error("{place}: {source}")]
    Notice {
        /// The directory, or the address.
        place: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address can't be bound.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// The compartment, bound to its addresses and not yet serving.
pub struct Server {
    identity: Identity,
    listener: Listener,
    notice: tokio::net::TcpListener,
    app: Arc<App>,
}

impl Server {
    /// Opens the database and the log's copy, and binds both addresses.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StartError> {
        let identity = Identity::load(&config.tls)?;
        let store = Store::open(&config.database).await?;
        let logs = logs::open(&config, &identity)?;
        let witness = logs::witness(&config.witness_name, &config.witness_key)?;
        let sealer = logs::sealer(&config.witness_name, &config.witness_key)?;
        let lookup = lookup::Lookup::open(&config.log_copy.join("access-logs"), &*rng)?;
        let failed = |place: String| move |source| StartError::Notice { place, source };
        std::fs::create_dir_all(&config.notice_dir)
            .map_err(failed(config.notice_dir.display().to_string()))?;
        let notice = tokio::net::TcpListener::bind(config.notice_listen)
            .await
            .map_err(failed(config.notice_listen.to_string()))?;
        let listener = Listener::bind(config.listen).await?;
        let app = Arc::new(
            App::new(
                config,
                &identity,
                store,
                logs,
                Secrets { witness, sealer, lookup },
                clock,
                rng,
            )
            .await?,
        );
        tracing::info!(address = %listener.address(), "listening");
        Ok(Self { identity, listener, notice, app })
    }

    /// Where it listens for staff.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Serves until `stop` ends.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { identity, listener, notice, app } = self;
        let notice = tokio::spawn(pages::serve_notice(app.config.notice_dir.clone(), notice));
        let follow = tokio::spawn(jobs::follow_logs(app.clone()));
        let customers = tokio::spawn(jobs::follow_customers(app.clone()));
        listener.serve(&identity, routes::router(app.clone()), stop).await;
        follow.abort();
        customers.abort();
        notice.abort();
        app.stop_letters().await;
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
