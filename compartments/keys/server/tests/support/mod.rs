//! A real `keys` in this process, reached over real mutual TLS.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{
    CallerName, Domain, Field, FieldSet, MockClock, Operation, Record, SystemRng, Timestamp,
};
use cofferdam_store::Location;
use cofferdam_wire::{Client, LogFormat, Problem};
use keys_api::{Alarm, ApproverSecret, Grant, ReadAlarms, ReleaseKeys};
use keys_server::ceremony::create_secrets;
use keys_server::{BudgetConfig, CallerConfig, Config};
use testkit::Authority;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const ORIGIN: &str = "keys.example/log";

/// One compartment with its files, which survive a restart.
pub struct Keys {
    pub clock: Arc<MockClock>,
    pub approvers: [ApproverSecret; 2],
    /// The log's verifier key.
    pub verifier: String,
    authority: Authority,
    dir: tempfile::TempDir,
    database: Location,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>, String)>,
}

impl Keys {
    /// A new compartment on SQLite.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = Location::Sqlite(dir.path().join("keys.db"));
        Self::start_on(dir, database).await
    }

    /// A new compartment with its files in `dir` and its tables in `database`.
    pub async fn start_on(dir: tempfile::TempDir, database: Location) -> Self {
        let verifier = create_secrets(&dir.path().join("secrets"), ORIGIN, &SystemRng).unwrap();
        let mut keys = Self {
            clock: Arc::new(MockClock::at("2012-01-15T04:00:00Z".parse::<Timestamp>().unwrap())),
            approvers: ["ann", "bob"].map(|name| ApproverSecret::generate(name, &SystemRng)),
            verifier,
            authority: Authority::new(),
            dir,
            database,
            running: None,
        };
        keys.run().await;
        keys
    }

    /// Stops the server and starts it on the same files.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    pub async fn stop(&mut self) {
        let (stop, ended, _) = self.running.take().unwrap();
        stop.send(()).unwrap();
        ended.await.unwrap();
    }

    pub fn log_dir(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    pub fn client(&self, caller: &str) -> Client {
        self.authority.client(caller, &self.running.as_ref().unwrap().2)
    }

    /// What rang so far, as the controller reads it.
    pub async fn alarms(&self) -> Vec<Alarm> {
        self.client("response-1").call(&ReadAlarms { after: 0 }).await.unwrap()
    }

    /// Releases as `accounts` asks for them, for `caller`.
    pub async fn release(&self, caller: &str, records: &[u32]) -> Result<usize, Problem> {
        let answer = self.client("accounts").call(&ask(caller, records)).await;
        answer.map(|released| released.records.len()).map_err(|e| e.problem().cloned().unwrap())
    }

    async fn run(&mut self) {
        let config = self.config();
        let base = format!("https://localhost:{}", config.listen.port());
        let (stop, stopped) = oneshot::channel::<()>();
        let clock = self.clock.clone();
        let server = tokio::spawn(async move {
            let stop = async { stopped.await.unwrap_or_default() };
            keys_server::serve(config, clock, stop).await.unwrap();
        });
        self.running = Some((stop, server, base));
        for _ in 0..200 {
            if self.client("response-1").is_healthy().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("keys does not come up");
    }

    fn config(&self) -> Config {
        let budget = |minute| BudgetConfig { minute, hour: 1_000, day: 10_000 };
        let operations = [Operation::Release, Operation::Seal, Operation::Harden, Operation::Index];
        let caller = |name: &str, fields: FieldSet| CallerConfig {
            name: name.parse().unwrap(),
            grants: operations
                .map(|operation| Grant {
                    domain: Domain::Accounts,
                    operation,
                    fields: match operation {
                        Operation::Release | Operation::Seal => fields,
                        Operation::Harden | Operation::Index => FieldSet::EMPTY,
                    },
                })
                .to_vec(),
            budgets: operations.map(|operation| (operation, budget(100))).into(),
        };
        Config {
            listen: free_address(),
            tls: self.authority.files("keys"),
            database: self.database.clone(),
            secrets: self.dir.path().join("secrets"),
            log: self.log_dir(),
            log_origin: ORIGIN.to_owned(),
            log_format: LogFormat::Text,
            controller: name("response-1"),
            decoy_one_in: 50,
            fronts: [(Domain::Accounts, name("accounts")), (Domain::Payments, name("payments"))]
                .into(),
            approvers: self.approvers.iter().map(ApproverSecret::public).collect(),
            callers: vec![
                caller("web-ky-1", fields(&[Field::Name, Field::Email])),
                caller("web-ky-2", fields(&[Field::Name])),
            ],
        }
    }
}

/// A release of name and e-mail for `caller`.
pub fn ask(caller: &str, records: &[u32]) -> ReleaseKeys {
    ReleaseKeys {
        domain: Domain::Accounts,
        caller: name(caller),
        operation: Operation::Release,
        fields: fields(&[Field::Name, Field::Email]),
        epoch: None,
        records: records.iter().copied().map(Record).collect(),
        warrant: None,
    }
}

pub fn fields(fields: &[Field]) -> FieldSet {
    fields.iter().copied().collect()
}

pub fn name(text: &str) -> CallerName {
    text.parse().unwrap()
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
