//! The real `keys`, in a process of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cofferdam_core::{CallerName, Compartment, Domain, Field, FieldSet, Operation, SystemRng};
use cofferdam_custody::{Custody, Quorum};
use cofferdam_store::Location;
use cofferdam_wire::{Client, LogFormat};
use keys_api::{ApproverSecret, Budget, CallerPolicy, Grant, Policy};
use keys_server::Config;
use keys_server::ceremony::{self, Decided};
use testkit::{Authority, free_address};

/// A running `keys`.
pub struct Keys {
    authority: Authority,
    base: String,
    process: Child,
}

impl Keys {
    /// Makes the secrets in `dir` and starts `keys` on SQLite.
    pub async fn start(binary: &Path, dir: &Path) -> Self {
        let authority = Authority::new();
        let listen = free_address();
        let config = Config {
            listen,
            database: Location::Sqlite(dir.join("keys/keys.db")),
            log: dir.join("keys/log"),
            log_archive: None,
            log_origin: "bench.example/log".to_owned(),
            witness_key: None,
            log_format: LogFormat::Text,
            controller: name("response-1"),
            auditors: Vec::new(),
            decoy_one_in: 10_000,
            fronts: [(Domain::Accounts, name("accounts"))].into(),
            tls: authority.files("keys"),
            custody: Custody::File { root_key: dir.join("root.key") },
            least_free_mib: 0,
            alarms: Vec::new(),
        };
        std::fs::create_dir(dir.join("keys")).unwrap();
        let decided = Decided {
            policy: policy(),
            quorum: Quorum { custodians: 3, threshold: 2 },
            decoy_key: None,
        };
        ceremony::init(&config, decided, &SystemRng).await.unwrap();
        let file = dir.join("keys.toml");
        std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
        let process = Command::new(binary)
            .args(["keys", "serve", "--config"])
            .arg(&file)
            // The level is that of production: warnings only, and no line for each request.
            .env("COFFERDAM_LOG", "warn")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let keys =
            Self { authority, base: format!("https://localhost:{}", listen.port()), process };
        while !keys.client().is_healthy().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        keys
    }

    /// A client as `accounts`.
    pub fn client(&self) -> Client {
        self.authority.client(Compartment::Keys, "accounts", &self.base)
    }

    /// The resident memory of the process, in MiB.
    pub fn memory_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1_024.0
    }

    /// Ends the process.
    pub fn stop(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn policy() -> Policy {
    let approvers = ["ann", "bob"].map(|name| ApproverSecret::generate(name, &SystemRng).public());
    let unbounded = 1_000_000_000;
    let budget = Budget { minute: unbounded, hour: unbounded, day: unbounded, burst: 0 };
    Policy {
        version: 1,
        approvers: approvers.into(),
        callers: vec![CallerPolicy {
            name: name("web-1"),
            group: None,
            grants: vec![Grant {
                domain: Domain::Accounts,
                operation: Operation::Release,
                fields: FieldSet::EMPTY.with(Field::Email),
            }],
            budgets: [(Operation::Release, budget)].into(),
        }],
    }
}

fn name(text: &str) -> CallerName {
    text.parse().unwrap()
}
