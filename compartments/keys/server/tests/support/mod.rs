//! A real `keys` in this process, reached over real mutual TLS.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{
    CallerName, Clock, Compartment, Domain, Field, FieldSet, KeyBytes, MockClock, Operation,
    Record, SystemRng, Timestamp, WarrantSubject,
};
use cofferdam_custody::{Custody, Quorum};
use cofferdam_store::Location;
use cofferdam_wire::{CallError, Client, Identity, LogFormat, Problem, ProblemType, TlsFiles};
use jiff::SignedDuration;
use keys_api::{
    Alarm, AlarmKind, ApproverSecret, Budget, CallerPolicy, CheckPassword, ClaimDecoys, Entry,
    Event, FreezeCaller, Grant, Hold, KeyGroup, Order, Policy, ReadAlarms, ReadEntries, ReadHolds,
    ReleaseKeys, Signed, ThawCaller, ThawOrder, Verifier, Warrant, WarrantId,
};
use keys_server::ceremony::{self, Decided};
use keys_server::{Config, SinkConfig};
pub use testkit::until;
use testkit::{Authority, free_address};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A compartment and its files, which survive a restart.
pub struct Keys {
    pub clock: Arc<MockClock>,
    pub approvers: [ApproverSecret; 2],
    /// The verifier key of the log.
    pub verifier: String,
    pub authority: Arc<Authority>,
    dir: Arc<tempfile::TempDir>,
    instance: u32,
    database: Location,
    /// The sinks to which alarms go from the next start on.
    pub alarms_to: Vec<SinkConfig>,
    /// The room that disks should have, from the next start on.
    pub least_free_mib: u64,
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
        let mut keys = Self {
            clock: Arc::new(MockClock::at(start())),
            approvers: ["ann", "bob"].map(|name| ApproverSecret::generate(name, &SystemRng)),
            verifier: String::new(),
            authority: Arc::new(Authority::new()),
            dir: Arc::new(dir),
            instance: 1,
            database,
            alarms_to: Vec::new(),
            least_free_mib: 0,
            running: None,
        };
        keys.init().await;
        keys.run().await;
        keys
    }

    /// Another instance on the same database and under the same authority.
    pub async fn second(&self) -> Self {
        self.second_on(self.database.clone()).await
    }

    /// Another instance, which reaches the same database in its own way.
    pub async fn second_on(&self, database: Location) -> Self {
        let approvers = self.approvers.each_ref().map(|of| {
            let pem = of.to_pem(b"x", &SystemRng).unwrap();
            ApproverSecret::from_pem(of.name(), &pem, b"x").unwrap()
        });
        let mut keys = Self {
            clock: self.clock.clone(),
            approvers,
            verifier: String::new(),
            authority: self.authority.clone(),
            dir: self.dir.clone(),
            instance: self.instance + 1,
            database,
            alarms_to: Vec::new(),
            least_free_mib: 0,
            running: None,
        };
        keys.init().await;
        keys.run().await;
        keys
    }

    async fn init(&mut self) {
        let decided = Decided {
            policy: self.policy(),
            quorum: Quorum { custodians: 3, threshold: 2 },
            decoy_key: None,
        };
        let made = ceremony::init(&self.config(), decided, &SystemRng).await.unwrap();
        self.verifier = made.log_key;
    }

    /// Signs an order by both approvers.
    pub fn sign<T: Order>(&self, order: T) -> Signed<T> {
        let signatures = self.approvers.iter().map(|of| of.sign(&order)).collect();
        Signed { order, signatures }
    }

    /// The order that ends the hold of an incident on a caller, signed by one approver.
    pub async fn thaw_order(&self, caller: &str, incident: u32) -> Signed<ThawOrder> {
        let caller = name(caller);
        let read = ReadHolds { caller: caller.clone() };
        let holds = self.client("response-1").call(&read).await.unwrap();
        let hold = holds.iter().find(|of| of.incident == incident).unwrap().hold;
        let until = self.clock.now() + SignedDuration::from_hours(1);
        let reason = "it was rebuilt".parse().unwrap();
        let order = ThawOrder { caller, incident, hold, until, reason };
        Signed { signatures: vec![self.approvers[0].sign(&order)], order }
    }

    /// Ends the hold of an incident on a caller. Returns the holds that are left.
    pub async fn thaw(&self, caller: &str, incident: u32) -> Vec<Hold> {
        let order = self.thaw_order(caller, incident).await;
        self.client("response-1").call(&ThawCaller { order }).await.unwrap()
    }

    /// Stops the server and starts it on the same files.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    /// Starts the server on the same files.
    pub async fn start_again(&mut self) {
        self.run().await;
    }

    pub async fn stop(&mut self) {
        let (stop, ended, _) = self.running.take().unwrap();
        stop.send(()).unwrap();
        ended.await.unwrap();
    }

    pub fn log_dir(&self) -> PathBuf {
        self.dir.path().join(format!("log-{}", self.instance))
    }

    /// The path of a file of the test.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Stops the server, copies the SQLite database, and starts again. Returns the name of the
    /// copy.
    pub async fn copy_database(&mut self) -> PathBuf {
        self.stop().await;
        let copy = self.file("older.db");
        std::fs::copy(self.file("keys.db"), &copy).unwrap();
        self.start_again().await;
        copy
    }

    /// Stops the server, restores a copy of the database, and starts on it.
    pub async fn put_back_database(&mut self, copy: &std::path::Path) {
        self.stop().await;
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(self.file(&format!("keys.db{end}")));
        }
        std::fs::copy(copy, self.file("keys.db")).unwrap();
        self.start_again().await;
    }

    /// Lets the server die while it writes an entry, of which `torn` bytes reach the disk, and
    /// starts it again.
    pub async fn crash(&mut self, torn: usize) {
        self.stop().await;
        let segments = std::fs::read_dir(self.log_dir()).unwrap().map(|e| e.unwrap().path());
        let newest = segments.filter(|p| p.extension().is_some_and(|end| end == "entries")).max();
        let mut file = std::fs::File::options().append(true).open(newest.unwrap()).unwrap();
        std::io::Write::write_all(&mut file, &vec![0x55; torn]).unwrap();
        self.run().await;
    }

    /// Sets the clock to the time that really passed. Restarts on a moved clock have tests of their
    /// own.
    pub fn settle_clock(&self) {
        let passed = SignedDuration::try_from(self.clock.monotonic()).unwrap();
        self.clock.jump((start() + passed).duration_since(self.clock.now()));
    }

    pub fn client(&self, caller: &str) -> Client {
        self.authority.client(Compartment::Keys, caller, &self.running.as_ref().unwrap().2)
    }

    /// A client with a certificate of another authority, which trusts this server nevertheless.
    pub fn strange_client(&self, other: &Authority, name: &str) -> Client {
        let strange = other.files(name);
        let files = TlsFiles { ca: self.authority.files("keys").ca, ..strange };
        let base = &self.running.as_ref().unwrap().2;
        Client::new(Compartment::Keys, base, &Identity::load(&files).unwrap())
    }

    /// The body of the answer to a `GET`, whatever its status.
    pub async fn get(&self, caller: &str, path: &str) -> String {
        let (_, _, base) = self.running.as_ref().unwrap();
        let files = self.authority.files(caller);
        let output = tokio::process::Command::new("curl")
            .args(["--silent", "--show-error", "--path-as-is", "--cacert"])
            .arg(&files.ca)
            .arg("--cert")
            .arg(&files.cert)
            .arg("--key")
            .arg(&files.key)
            .arg(format!("{base}{path}"))
            .output()
            .await
            .unwrap_or_else(|e| panic!("run ./test, which installs curl: {e}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The alarms so far, as the controller reads them.
    pub async fn alarms(&self) -> Vec<Alarm> {
        self.client("response-1").call(&ReadAlarms { after: 0 }).await.unwrap()
    }

    /// Waits for the first alarm of a kind.
    pub async fn rings(&self, kind: AlarmKind) -> Alarm {
        let mut rang = None;
        until(async || {
            rang = self.alarms().await.into_iter().find(|alarm| alarm.kind == kind);
            rang.is_some()
        })
        .await;
        rang.unwrap()
    }

    /// The decoys among the first `count` record numbers, which can be claimed once.
    pub async fn decoys(&self, count: u32) -> Vec<Record> {
        let claim = ClaimDecoys { domain: Domain::Accounts, from: Record(0), count };
        self.client("accounts").call(&claim).await.unwrap().decoys
    }

    /// Releases keys to `accounts` for `caller`.
    pub async fn release(&self, caller: &str, records: &[u32]) -> Result<usize, Problem> {
        let answer = self.client("accounts").call(&ask(caller, records)).await;
        answer
            .map(|released| released.groups[0].records.len())
            .map_err(|e| e.problem().cloned().unwrap())
    }

    /// Starts the server where it must not start.
    pub async fn try_start(&self) -> Result<(), keys_server::StartError> {
        let (clock, stop) = (self.clock.clone(), async {});
        keys_server::serve(self.config(), clock, Arc::new(SystemRng), stop).await
    }

    async fn run(&mut self) {
        let config = self.config();
        let base = format!("https://localhost:{}", config.listen.port());
        let (stop, stopped) = oneshot::channel::<()>();
        let clock = self.clock.clone();
        let server = tokio::spawn(async move {
            let stop = async { stopped.await.unwrap_or_default() };
            keys_server::serve(config, clock, Arc::new(SystemRng), stop).await.unwrap();
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
        Config {
            listen: free_address(),
            tls: self.authority.files("keys"),
            database: self.database.clone(),
            custody: Custody::File { root_key: self.dir.path().join("root.key") },
            log: self.log_dir(),
            log_archive: None,
            log_origin: format!("keys-{}.example/log", self.instance),
            witness_key: None,
            least_free_mib: self.least_free_mib,
            log_format: LogFormat::Text,
            controller: name("response-1"),
            auditors: vec![name("auditor-1")],
            decoy_one_in: 50,
            alarms: self.alarms_to.clone(),
            fronts: [(Domain::Accounts, name("accounts")), (Domain::Payments, name("payments"))]
                .into(),
        }
    }

    /// The first policy.
    pub fn policy(&self) -> Policy {
        let budget = |minute| Budget { minute, hour: 1_000, day: 10_000, burst: 0 };
        let operations = Operation::ALL;
        let caller = |name: &str, fields: FieldSet| CallerPolicy {
            name: name.parse().unwrap(),
            group: None,
            grants: operations
                .into_iter()
                .map(|operation| Grant {
                    domain: Domain::Accounts,
                    operation,
                    fields: if operation.names_fields() { fields } else { FieldSet::EMPTY },
                })
                .collect(),
            budgets: operations.map(|operation| (operation, budget(100))).into(),
        };
        let shop = |name: &str, group: &str| {
            let names = |of: &Grant| of.operation != Operation::Release;
            let all = caller(name, fields(&[Field::Name, Field::Email]));
            let grants = all.grants.iter().filter(|of| names(of)).cloned().collect();
            CallerPolicy { group: Some(group.parse().unwrap()), grants, ..all }
        };
        Policy {
            version: 1,
            approvers: self.approvers.iter().map(ApproverSecret::public).collect(),
            callers: vec![
                caller("web-ky-1", fields(&[Field::Name, Field::Email])),
                caller("web-ky-2", fields(&[Field::Name])),
                shop("shop-1", "shop"),
                shop("shop-2", "shop"),
                shop("stand-1", "stand"),
                CallerPolicy {
                    name: name("mail-trap-1"),
                    group: None,
                    grants: vec![Grant {
                        domain: Domain::Accounts,
                        operation: Operation::Index,
                        fields: FieldSet::EMPTY,
                    }],
                    budgets: [(Operation::Index, budget(100))].into(),
                },
                CallerPolicy {
                    name: name("accounts"),
                    group: None,
                    grants: vec![],
                    budgets: [(Operation::Reseal, budget(500))].into(),
                },
            ],
        }
    }
}

/// A freeze for the first incident.
pub fn freeze(caller: &str) -> FreezeCaller {
    FreezeCaller { caller: name(caller), incident: 1, reason: "its host fell".parse().unwrap() }
}

/// A release of name and e-mail for `caller`.
pub fn ask(caller: &str, records: &[u32]) -> ReleaseKeys {
    ReleaseKeys {
        domain: Domain::Accounts,
        caller: name(caller),
        operation: Operation::Release,
        groups: vec![group(&[Field::Name, Field::Email], records)],
        warrant: None,
        presence: None,
    }
}

/// A wrong password of a customer, typed at `caller`.
pub fn typed(caller: &str, record: Record) -> CheckPassword {
    CheckPassword {
        caller: name(caller),
        record,
        hash: KeyBytes::new([1; 32]),
        stored: Verifier { bytes: KeyBytes::new([0; 32]), set_at: start() },
        renew: None,
        session: None,
        looked_up: None,
    }
}

/// A group of records of which the same fields are wanted, in the current epoch.
pub fn group(names: &[Field], records: &[u32]) -> KeyGroup {
    let records = records.iter().copied().map(Record).collect();
    KeyGroup { fields: fields(names), unset: FieldSet::EMPTY, epoch: None, records }
}

pub fn fields(fields: &[Field]) -> FieldSet {
    fields.iter().copied().collect()
}

pub fn name(text: &str) -> CallerName {
    text.parse().unwrap()
}

fn start() -> Timestamp {
    "2012-01-15T04:00:00Z".parse().unwrap()
}

/// The events in the log.
pub async fn events(keys: &Keys) -> Vec<Event> {
    let read = ReadEntries { from: 0, limit: 10_000 };
    let answer = keys.client("response-1").call(&read).await.unwrap();
    answer.entries.iter().map(|bytes| Entry::decode(bytes).unwrap().event).collect()
}

/// A warrant for name and e-mail address of `records` customers, for a day from now on.
pub fn warrant(keys: &Keys, records: u32) -> Warrant {
    let now = keys.clock.now();
    Warrant {
        id: WarrantId::random(&SystemRng),
        incident: 1,
        subject: WarrantSubject::PaperPost { letter: 1 },
        caller: name("response-1"),
        domain: Domain::Accounts,
        fields: fields(&[Field::Name, Field::Email]),
        records,
        from: now,
        until: now + SignedDuration::from_hours(24),
    }
}

/// Checks that a call was refused with a problem of a type.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, CallError>, of: ProblemType) {
    let error = answer.unwrap_err();
    assert!(error.is(of), "{error} is not {}", of.code);
}
