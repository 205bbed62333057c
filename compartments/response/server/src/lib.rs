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
use cofferdam_mail::serve_intake;
use cofferdam_store::StoreError;
use cofferdam_wire::{Identity, IdentityError, Listener, ServeError};

pub use config::{
    Config, DkimConfig, GateConfig, KeysInstance, LettersConfig, ProviderConfig, RelayConfig,
    RelayKey, RetryConfig, Shop, TlsConfig,
};
use domain::identity::LetterKeys;
pub use domain::letter::{Body, Files, Texts, Variant, VersionError, Writer};
pub use domain::{population, scope};
use jobs::mailing::{MailSetup, SetupError};
pub use jobs::scope::{pages, read as reading};
pub use log_copy::{CopyError, LogCopy};
/// The paths of every call, for the test that tries each without a right to it.
#[must_use]
pub fn paths() -> Vec<&'static str> {
    routes::routes().paths()
}

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
    /// Letters can't be sent as configured.
    #[error(transparent)]
    Mail(#[from] SetupError),
    /// What an earlier process sent can't be told.
    #[error("letters of an earlier process: {0}")]
    Letters(String),
    /// Nobody can tell which addresses are ours.
    #[error("letters.return_listen takes letters.return_domain, the domain they come back to")]
    ReturnDomain,
    /// A public directory or address can't be used.
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
    /// Where letters come back to, and under which domain.
    returns: Option<(tokio::net::TcpListener, String)>,
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
        let returns = bind_returns(&config.letters).await?;
        let listener = Listener::bind(config.listen).await?;
        let keys = LetterKeys::new(&store.letter_key(rng.bytes()).await?);
        let mail = MailSetup::open(&config.letters, keys)?;
        let secrets = Secrets { witness, sealer, lookup, mail };
        let app = Arc::new(App::new(config, &identity, store, logs, secrets, clock, rng));
        jobs::mailing::recover(&app).await.map_err(|e| StartError::Letters(e.to_string()))?;
        tracing::info!(address = %listener.address(), "listening");
        Ok(Self { identity, listener, notice, returns, app })
    }

    /// Where it listens for staff.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Serves until `stop` ends.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { identity, listener, notice, returns, app } = self;
        let notice = tokio::spawn(pages::serve_public(app.clone(), notice));
        let follow = tokio::spawn(jobs::follow_logs(app.clone()));
        let customers = tokio::spawn(jobs::follow_customers(app.clone()));
        let letters = tokio::spawn(jobs::mailing::send_letters(app.clone()));
        let returns = returns.map(|(listener, domain)| {
            let taker = Arc::new(jobs::Returns::new(app.clone(), domain));
            tokio::spawn(serve_intake(listener, taker, std::future::pending()))
        });
        listener.serve(&identity, routes::routes().into_router(app.clone()), stop).await;
        follow.abort();
        customers.abort();
        notice.abort();
        letters.abort();
        if let Some(returns) = returns {
            returns.abort();
        }
        app.stop_letters().await;
    }
}

async fn bind_returns(
    config: &LettersConfig,
) -> Result<Option<(tokio::net::TcpListener, String)>, StartError> {
    let Some(address) = config.return_listen else { return Ok(None) };
    let domain = config.return_domain.clone().ok_or(StartError::ReturnDomain)?;
    let listener = tokio::net::TcpListener::bind(address).await;
    let failed = |source| StartError::Notice { place: address.to_string(), source };
    if config.complaints_from.is_empty() {
        tracing::warn!("letters.complaints_from names nobody: no complaint will pause a provider");
    }
    Ok(Some((listener.map_err(failed)?, domain)))
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
