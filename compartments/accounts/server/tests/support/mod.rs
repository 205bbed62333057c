//! A whole shop for tests: an authority, a small `keys`, a relay, and the real server.

mod keys;
mod people;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accounts_api::{ReadCustomerNumbers, ResolveCustomerNumbers, VoidCredentials, VoidWhose};
use accounts_server::{Config, Server};
use cofferdam_core::{
    Compartment, CustomerNumber, MockClock, Record, Sha256, SystemRng, Timestamp,
};
use cofferdam_wire::{CallError, Client, ProblemType};
use keys_api::CustomerSet;
use roaring::RoaringBitmap;
use tempfile::TempDir;
use testkit::Authority;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use keys::{Answered, Lost, TestKeys};
pub use people::{ada, legacy_row, person};

/// The name of the database; the name of its WAL begins with it.
pub const DATABASE: &str = "accounts.db";

/// A running shop.
pub struct Shop {
    pub dir: TempDir,
    pub keys: TestKeys,
    pub clock: Arc<MockClock>,
    authority: Authority,
    running: Running,
    database: String,
    relay: SocketAddr,
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Shop {
    /// Opens a shop without a relay for its letters.
    pub async fn open() -> Self {
        Self::open_with_relay("127.0.0.1:9".parse().unwrap()).await
    }

    /// Opens a shop with a relay for its letters.
    pub async fn open_with_relay(relay: SocketAddr) -> Self {
        let dir = TempDir::new().unwrap();
        let database = dir.path().join(DATABASE).display().to_string();
        Self::open_on(dir, database, relay).await
    }

    /// Opens a shop with its tables in `database`, a path or a URL.
    pub async fn open_on(dir: TempDir, database: String, relay: SocketAddr) -> Self {
        let authority = Authority::new();
        let clock = Arc::new(MockClock::at("2012-01-15T08:00:00Z".parse().unwrap()));
        let keys = TestKeys::start(&authority, clock.clone()).await;
        let config = config(&database, &authority, keys.address(), relay);
        let running = Running::start(config, clock.clone()).await;
        Self { dir, keys, clock, authority, running, database, relay }
    }

    /// Starts another instance of the server, which finds the same database at `database`.
    pub async fn another(&self, database: &str) -> Instance {
        let config = config(database, &self.authority, self.keys.address(), self.relay);
        Instance { running: Running::start(config, self.clock.clone()).await }
    }

    /// A client with the certificate of a caller.
    pub fn client(&self, caller: &str) -> Client {
        self.running.client(&self.authority, caller)
    }

    /// The same for another instance.
    pub fn client_of(&self, instance: &Instance, caller: &str) -> Client {
        instance.running.client(&self.authority, caller)
    }

    /// The record of a customer whom callers know by `number`.
    pub async fn record(&self, number: CustomerNumber) -> Record {
        self.records(&[number]).await[0]
    }

    /// The records of customers, in the order of their numbers.
    pub async fn records(&self, numbers: &[CustomerNumber]) -> Vec<Record> {
        let resolve = ResolveCustomerNumbers { numbers: numbers.to_vec() };
        self.client("response-1").call(&resolve).await.unwrap()
    }

    /// The numbers by which callers know customers, ascending.
    pub async fn numbers(&self, records: impl IntoIterator<Item = Record>) -> Vec<CustomerNumber> {
        let read = ReadCustomerNumbers { records: records.into_iter().collect() };
        let mut numbers = self.client("response-1").call(&read).await.unwrap();
        numbers.sort_unstable();
        numbers
    }

    /// The key in the certificate of a caller.
    pub fn public_key(&self, caller: &str) -> Sha256 {
        self.authority.key(caller)
    }

    /// Stops the server, and starts it again on the same database.
    pub async fn restart(self) -> Self {
        let Self { running, .. } = self;
        running.stop().await;
        let config = config(&self.database, &self.authority, self.keys.address(), self.relay);
        Self { running: Running::start(config, self.clock.clone()).await, ..self }
    }

    /// Stops the server. Its files stay until the directory is dropped.
    pub async fn stop(self) -> TempDir {
        self.running.stop().await;
        self.dir
    }

    /// The files of the database as they are now.
    pub fn database_files(dir: &Path) -> Vec<PathBuf> {
        let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|p| p.file_name().unwrap().to_string_lossy().starts_with(DATABASE)).collect()
    }

    pub fn now(&self) -> Timestamp {
        cofferdam_core::Clock::now(&*self.clock)
    }
}

/// Another instance of the server of a shop.
pub struct Instance {
    running: Running,
}

impl Instance {
    /// Stops the instance.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

impl Running {
    fn client(&self, authority: &Authority, caller: &str) -> Client {
        let base = format!("https://localhost:{}", self.address.port());
        authority.client(Compartment::Accounts, caller, &base)
    }

    async fn start(config: Config, clock: Arc<MockClock>) -> Self {
        let server = Server::start(config, clock, Arc::new(SystemRng)).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self { address, stop, task }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

fn config(database: &str, authority: &Authority, keys: SocketAddr, relay: SocketAddr) -> Config {
    let tls = authority.files("accounts");
    let text = format!(
        "listen = '127.0.0.1:0'\n\
         database = '{database}'\n\
         keys = ['https://localhost:{}']\n\
         controller = 'response-1'\n\
         importers = ['import-1']\n\
         relay = '{relay}'\n\
         mail_from = 'service@shop.example'\n\
         decoy_mail_domains = ['mailbox.example']\n\
         [tls]\nca = '{}'\ncert = '{}'\nkey = '{}'\n",
        keys.port(),
        tls.ca.display(),
        tls.cert.display(),
        tls.key.display(),
    );
    toml::from_str(&text).unwrap()
}

/// Checks that a call was refused with a problem of a type.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, CallError>, of: ProblemType) {
    let error = answer.unwrap_err();
    assert!(error.is(of), "{error} is not {}", of.code);
}

/// A call that voids everybody's credentials, by an order with these approvers and empty
/// signatures.
pub fn everybody(set_before: Timestamp, approvers: &[&str]) -> VoidCredentials {
    let whose = VoidWhose::Everybody { order: void_order(set_before, approvers, None) };
    VoidCredentials { incident: 1, set_before, whose }
}

/// The same for a set of customers.
pub fn of_set(
    set_before: Timestamp,
    approvers: &[&str],
    records: &BTreeSet<Record>,
) -> VoidCredentials {
    let set = CustomerSet::of(records.iter().copied());
    let order = void_order(set_before, approvers, Some(set));
    let mut roaring = Vec::new();
    let records: RoaringBitmap = records.iter().map(|record| record.0).collect();
    records.serialize_into(&mut roaring).unwrap();
    VoidCredentials { incident: 1, set_before, whose: VoidWhose::Set { order, roaring } }
}

fn void_order(set_before: Timestamp, approvers: &[&str], customers: Option<CustomerSet>) -> String {
    let signature = |name: &&str| keys_api::Signature {
        approver: (*name).to_owned(),
        signature: String::new(),
    };
    let order = keys_api::Signed {
        order: keys_api::VoidOrder {
            incident: 1,
            set_before,
            until: set_before,
            break_glass: None,
            customers,
        },
        signatures: approvers.iter().map(signature).collect(),
    };
    serde_json::to_string(&order).unwrap()
}
