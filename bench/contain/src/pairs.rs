//! An estate with two instances of `keys`, of `accounts` and of `payments`, each pair on a PostgreSQL
//! database of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cofferdam_core::{SystemClock, SystemRng};
use cofferdam_wire::Client;
use estate::Compartment::{self, Accounts, Keys, Payments, Response};
use estate::{Estate, Plan};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::PgPool;
use testkit::postgres::Database;
use testkit::{make_halves, second_instance};
use tokio::time::sleep;
use toml::{Table, Value};

/// The compartments with two instances.
pub const PAIRS: [Compartment; 3] = [Keys, Accounts, Payments];

/// A process of a compartment.
pub struct Instance {
    pub of: Compartment,
    config: PathBuf,
    url: String,
    log: PathBuf,
    child: Option<Child>,
}

impl Instance {
    fn start(&mut self, binary: &Path) {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(binary);
        command.args([self.of.as_str(), "serve", "--config"]).arg(&self.config);
        self.child = Some(command.stdin(Stdio::null()).stderr(log).spawn().unwrap());
    }

    pub fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().unwrap().id();
        kill(Pid::from_raw(id.try_into().unwrap()), signal).unwrap();
    }

    /// Ends the process with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// The running estate.
pub struct Pairs {
    pub estate: Estate,
    binary: PathBuf,
    /// The pairs, in the order of [`PAIRS`], and `response` at the end.
    pub instances: Vec<Instance>,
    _databases: Vec<Database>,
}

impl Pairs {
    /// Makes an estate in `dir`, fills it, and starts seven processes.
    pub async fn start(dir: &Path, binary: &Path, customers: u32) -> Self {
        estate::create(dir, &Plan::default(), &SystemClock, &SystemRng).await.unwrap();
        let estate = Estate::open(dir).unwrap();
        // The ceremony is held again, for the other database.
        fs::remove_file(dir.join("root-key/root.key")).unwrap();
        let (mut databases, mut instances) = (Vec::new(), Vec::new());
        for of in PAIRS {
            let database = Database::create().await;
            edit(&config_of(dir, of, of.as_str()), |config| {
                config["database"] = database.url().into();
            });
            if of != Keys {
                make_halves(binary, of, &config_of(dir, of, of.as_str()));
            }
            databases.push(database);
            let url = estate.addresses.of(of).to_owned();
            instances.push(instance(dir, of, of.as_str(), url));
            let (own, url) = second_instance(dir, of);
            instances.push(instance(dir, of, &own, url));
        }
        let urls = |of: Compartment| -> Vec<Value> {
            let own = instances.iter().filter(|one| one.of == of);
            own.map(|one| one.url.clone().into()).collect()
        };
        let keys = urls(Keys);
        for one in instances.iter().filter(|one| one.of != Keys) {
            edit(&one.config, |config| config["keys"] = keys.clone().into());
        }
        let log_keys: Vec<Value> = instances
            .iter()
            .filter(|one| one.of == Keys)
            .map(|one| {
                let log_key = init(binary, dir, &one.config);
                let table = [("url", one.url.clone()), ("log_key", log_key)];
                Table::from_iter(table.map(|(key, value)| (key.to_owned(), value.into()))).into()
            })
            .collect();
        edit(&config_of(dir, Response, Response.as_str()), |config| {
            config["keys"] = log_keys.into();
            for of in [Accounts, Payments] {
                config[of.as_str()] = urls(of).into();
            }
        });
        let response = estate.addresses.of(Response).to_owned();
        instances.push(instance(dir, Response, Response.as_str(), response));
        let (binary, url) = (binary.to_owned(), databases[1].url());
        let mut pairs = Self { estate, binary, instances, _databases: databases };
        for n in 0..pairs.instances.len() {
            pairs.start_one(n).await;
        }
        let pool = PgPool::connect(&url).await.unwrap();
        crate::fill(&pool, customers).await;
        pairs
    }

    /// Starts an instance, and waits until it works.
    pub async fn start_one(&mut self, n: usize) {
        self.instances[n].start(&self.binary);
        self.works(n).await;
    }

    /// Waits until an instance works.
    pub async fn works(&self, n: usize) {
        let Instance { of, url, log, .. } = &self.instances[n];
        let identity = self.estate.identity(&"operator-1".parse().unwrap()).unwrap();
        let client = Client::new(*of, url, &identity);
        for _ in 0..600 {
            if client.is_healthy().await {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{of} does not answer; see {}", log.display());
    }

    /// Ends every process.
    pub fn stop(&mut self) {
        self.instances.iter_mut().rev().for_each(Instance::kill);
    }
}

impl Drop for Pairs {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The configuration of an instance in `own`, a directory of the estate.
fn config_of(dir: &Path, of: Compartment, own: &str) -> PathBuf {
    dir.join(own).join(format!("{of}.toml"))
}

fn instance(dir: &Path, of: Compartment, own: &str, url: String) -> Instance {
    let log = dir.join(format!("{own}.log"));
    Instance { of, config: config_of(dir, of, own), url, log, child: None }
}

fn edit(file: &Path, change: impl FnOnce(&mut Table)) {
    let mut config: Table = fs::read_to_string(file).unwrap().parse().unwrap();
    change(&mut config);
    fs::write(file, config.to_string()).unwrap();
}

/// Holds the ceremony, or joins the other instance. Returns the verifier key of the log.
fn init(binary: &Path, dir: &Path, config: &Path) -> String {
    let mut command = Command::new(binary);
    command.args(["keys", "init", "--json", "--policy"]).arg(dir.join("keys/policy.toml"));
    let made = command.arg("--config").arg(config).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    made["log_key"].as_str().unwrap().to_owned()
}
