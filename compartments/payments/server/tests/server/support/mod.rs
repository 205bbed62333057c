//! A till for tests: an authority, a small `keys`, and the real server.

mod keys;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use cofferdam_core::{
    Call, Compartment, MockClock, Operation, Personal, Record, Sha256, SystemRng,
};
use cofferdam_wire::{CallError, Client, Problem};
use payments_api::{CardDetails, StoreCards, StoredCard};
use payments_server::{Config, Server, StartError};
use tempfile::TempDir;
use testkit::Authority;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use keys::TestKeys;

/// A running `payments`, with its small `keys`.
pub struct Till {
    pub keys: TestKeys,
    pub clock: Arc<MockClock>,
    pub dir: TempDir,
    authority: Authority,
    address: SocketAddr,
    running: Option<Running>,
}

/// Another instance on the same database.
pub struct Instance {
    address: SocketAddr,
    running: Running,
}

impl Instance {
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

async fn start(config: Config, clock: Arc<MockClock>) -> Result<(SocketAddr, Running), StartError> {
    let server = Server::start(config, clock, Arc::new(SystemRng)).await?;
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(server.run(async { stopped.await.unwrap_or_default() }));
    Ok((address, Running { stop, task }))
}

impl Till {
    pub async fn open() -> Self {
        let dir = TempDir::new().unwrap();
        let database = dir.path().join("payments.db");
        Self::open_on(dir, &database.display().to_string()).await
    }

    /// Opens a till with its tables in `database`, a path or a URL.
    pub async fn open_on(dir: TempDir, database: &str) -> Self {
        let authority = Authority::new();
        let keys = TestKeys::start(&authority).await;
        let clock = Arc::new(MockClock::at("2012-01-15T08:00:00Z".parse().unwrap()));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        write_config(dir.path(), database, &authority, keys.address());
        let mut till = Self { keys, clock, dir, authority, address, running: None };
        till.start().await;
        till
    }

    /// Starts another instance, which finds the same database at `database`.
    pub async fn another(&self, database: &str) -> Instance {
        let config = Config { database: database.to_owned().into(), ..self.config() };
        let (address, running) = start(config, self.clock.clone()).await.unwrap();
        Instance { address, running }
    }

    /// A client of another instance.
    pub fn client_of(&self, instance: &Instance, caller: &str) -> Client {
        self.client_at(instance.address, caller)
    }

    pub fn config(&self) -> Config {
        let text = std::fs::read_to_string(self.dir.path().join("payments.toml")).unwrap();
        toml::from_str(&text).unwrap()
    }

    pub async fn start(&mut self) {
        self.try_start().await.unwrap();
    }

    pub async fn try_start(&mut self) -> Result<(), StartError> {
        let (address, running) = start(self.config(), self.clock.clone()).await?;
        (self.address, self.running) = (address, Some(running));
        Ok(())
    }

    pub async fn stop(&mut self) {
        self.running.take().unwrap().stop().await;
    }

    /// Waits until the server stops by itself.
    pub async fn ended(&mut self) {
        self.running.take().unwrap().task.await.unwrap();
    }

    pub fn client(&self, caller: &str) -> Client {
        self.client_at(self.address, caller)
    }

    fn client_at(&self, address: SocketAddr, caller: &str) -> Client {
        let base = format!("https://localhost:{}", address.port());
        self.authority.client(Compartment::Payments, caller, &base)
    }

    /// The SHA-256 of the public key in a caller's certificate.
    pub fn public_key(&self, caller: &str) -> Sha256 {
        self.authority.key(caller)
    }

    /// The answer to a call of `caller`, or the problem.
    pub async fn call<C: Call>(&self, caller: &str, call: &C) -> Result<C::Answer, Problem> {
        self.client(caller).call(call).await.map_err(refusal)
    }

    /// The records for which `keys` was asked by an operation, in the order of the calls.
    pub fn asked_for(&self, operation: Operation) -> Vec<Record> {
        let book = self.keys.book();
        let calls = book.released.iter().filter(|call| call.operation == operation);
        calls.flat_map(|call| &call.groups).flat_map(|of| of.records.iter().copied()).collect()
    }

    /// Stores cards at the checkout.
    pub async fn store(&self, numbers: &[&str]) -> Vec<StoredCard> {
        let cards = numbers.iter().map(|number| card(number)).collect();
        self.call("checkout-1", &StoreCards { cards }).await.unwrap()
    }
}

/// The problem with which a call was refused.
pub fn refusal(error: CallError) -> Problem {
    match error {
        CallError::Problem(problem) => problem,
        other => unreachable!("there was no answer: {other}"),
    }
}

pub fn card(number: &str) -> CardDetails {
    CardDetails { number: Personal::new(number), expiry_month: 11, expiry_year: 2014 }
}

fn write_config(dir: &Path, database: &str, authority: &Authority, keys: SocketAddr) {
    let tls = authority.files("payments");
    let text = format!(
        "listen = '127.0.0.1:0'\n\
         database = '{database}'\n\
         keys = ['https://localhost:{}']\n\
         controller = 'response-1'\n\
         [tls]\nca = '{}'\ncert = '{}'\nkey = '{}'\n",
        keys.port(),
        tls.ca.display(),
        tls.cert.display(),
        tls.key.display(),
    );
    std::fs::write(dir.join("payments.toml"), text).unwrap();
}
