//! The `payments` compartment: cards, sealed, and the tokens that stand for them.
//!
//! May touch: its own database, and `keys` (release and seal, domain payments). It keeps no key
//! past a request, no security code (CVV), and no data about the customer. Called by: checkout
//! servers, the forwarder to the payment processor, and `response` (freeze, count).

mod app;
mod config;
mod confine;
mod domain;
mod loops;
mod reading;
mod routes;
mod store;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use cofferdam_core::{Clock, Compartment, Rng};
use cofferdam_store::StoreError;
use cofferdam_wire::{Client, Identity, IdentityError, Listener, ServeError};
use keys_client::follow_revoked;

pub use config::Config;

use app::App;

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
    /// The certificate can't be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address can't be bound.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// The compartment, bound to its address and not yet serving.
pub struct Server {
    identity: Identity,
    listener: Listener,
    app: Arc<App>,
    keys: Client,
}

impl Server {
    /// Opens the database and binds the address.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StartError> {
        let identity = Identity::load_compartment(Compartment::Payments, &config.tls)?;
        let app = Arc::new(App::open(&config, &identity, clock, rng).await?);
        let keys = Client::any(Compartment::Keys, &config.keys, &identity);
        let listener = Listener::bind(config.listen).await?;
        tracing::info!(address = %listener.address(), "listening");
        Ok(Self { identity, listener, app, keys })
    }

    /// The address on which it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Serves until `stop` ends.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let name = self.identity.name().clone();
        let reseal = tokio::spawn(loops::reseal(self.app.clone(), name));
        let (revoked, store) = (self.app.revoked.clone(), self.app.store.clone());
        let following = tokio::spawn(follow_revoked(self.keys, revoked.clone(), store));
        let door = self.app.clone();
        let listener = self.listener.keep_room_for(move |caller| door.is_controller(caller));
        let listener = listener.refuse_keys(revoked);
        listener.serve(&self.identity, routes::router(self.app), stop).await;
        reseal.abort();
        following.abort();
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
