//! The ceremony that makes the secrets of `keys`, and their reading at every start. A secret is 32
//! random bytes, sealed in the database under the root key.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Epoch, KeyBytes, Rng};
use cofferdam_custody::{self as custody, CustodyError, Quorum, Share};
use cofferdam_store::{Db, StoreError};
use cofferdam_tlog::notes::{BadNote, NoteKey, NoteKind};
use keys_api::{BadPolicy, Policy, Signed};

use crate::config::Config;
use crate::store;

/// A ceremony that failed, or secrets that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root key can't be put into custody, or fetched from it.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// The name of the log can't be used in a note.
    #[error(transparent)]
    Origin(#[from] BadNote),
    /// The policy contradicts itself or names something unknown.
    #[error(transparent)]
    Policy(#[from] BadPolicy),
    /// Another ceremony ran at the same time.
    #[error("another ceremony made the secrets at the same time")]
    Raced,
    /// The database has no secrets, but the log has entries: the database was lost.
    #[error(
        "{}: there is a release log, but the database has no secrets; new ones would open no record \
         that was sealed: restore the database of keys", .0.display()
    )]
    DatabaseLost(std::path::PathBuf),
    /// A secret is missing.
    #[error("the secret {0} is missing: the ceremony was not held for it")]
    Missing(String),
}

/// The result of a ceremony.
#[derive(Debug)]
pub struct Made {
    /// The verifier key of the log: the public half, for everybody who checks the log.
    pub log_key: String,
    /// The shares of the custodians, each for one person; empty if the root key is not in their
    /// custody.
    pub shares: Vec<Share>,
    /// Whether the secrets existed, and this instance joined the others that use them.
    pub joined: bool,
}

/// The decisions before a ceremony.
pub struct Decided {
    /// The first policy.
    pub policy: Policy,
    /// The number of custodians and the threshold. They count only if custodians keep the root key.
    pub quorum: Quorum,
    /// The key that chooses the decoys; `None` for a random one.
    pub decoy_key: Option<KeyBytes>,
}

/// Makes all secrets and the first policy. If they exist already, it makes only the key of this
/// instance's log.
pub async fn init(config: &Config, decided: Decided, rng: &dyn Rng) -> Result<Made, CeremonyError> {
    decided.policy.check()?;
    let log = KeyBytes::new(rng.bytes());
    let log_key = NoteKey::new(NoteKind::Log, &config.log_origin, &log)?.verifier();
    let db = Db::open(&config.database, store::MIGRATIONS).await?;
    let made = make_or_join(config, &db, decided, (&log, log_key), rng).await;
    db.close().await;
    made
}

/// Makes all secrets, or joins those that exist. `log` is the signing key of this instance's log,
/// and its public half.
async fn make_or_join(
    config: &Config,
    db: &Db,
    decided: Decided,
    log: (&KeyBytes, String),
    rng: &dyn Rng,
) -> Result<Made, CeremonyError> {
    let existing = store::secrets(db).await?;
    if !existing.is_empty() {
        return join(config, db, &existing, log, rng).await;
    }
    if std::fs::read_dir(&config.log).is_ok_and(|mut files| files.next().is_some()) {
        return Err(CeremonyError::DatabaseLost(config.log.clone()));
    }
    let (log, log_key) = log;
    let root = KeyBytes::new(rng.bytes());
    let kept = config.custody.keep(&root, decided.quorum, rng)?;
    let made = make_secrets(config, &root, log, decided.decoy_key, rng);
    let sealed = kept.sealed.map(|sealed| (ROOT.to_owned(), sealed));
    let made: Vec<_> = made.into_iter().chain(sealed).collect();
    let first = Signed { order: decided.policy, signatures: Vec::new() };
    if !store::insert_secrets(db, &made).await? || !store::insert_policy(db, &first).await? {
        return Err(CeremonyError::Raced);
    }
    Ok(Made { log_key, shares: kept.shares, joined: false })
}

/// The name of the root key as a hardware module sealed it: the only secret that is not sealed
/// under the root key.
const ROOT: &str = "root";

fn make_secrets(
    config: &Config,
    root: &KeyBytes,
    log: &KeyBytes,
    decoy: Option<KeyBytes>,
    rng: &dyn Rng,
) -> Vec<(String, Vec<u8>)> {
    let random = || KeyBytes::new(rng.bytes());
    let masters = config.fronts.keys().map(|domain| (master_name(*domain, Epoch(0)), random()));
    let mut secrets: Vec<(String, KeyBytes)> = masters.collect();
    secrets.push((PEPPER.to_owned(), random()));
    secrets.push((INDEX.to_owned(), random()));
    secrets.push((DECOY.to_owned(), decoy.unwrap_or_else(random)));
    secrets.push((log_name(&config.log_origin), log.clone()));
    let seal = |(name, secret): (String, KeyBytes)| {
        let sealed = custody::seal(root, &name, &secret, rng);
        (name, sealed)
    };
    secrets.into_iter().map(seal).collect()
}

/// Adds the key of this instance's log to the secrets of others, unless it is among them.
async fn join(
    config: &Config,
    db: &Db,
    existing: &BTreeMap<String, Vec<u8>>,
    (log, log_key): (&KeyBytes, String),
    rng: &dyn Rng,
) -> Result<Made, CeremonyError> {
    let root = root_key(config, existing).await?;
    let name = log_name(&config.log_origin);
    let made = [(name.clone(), custody::seal(&root, &name, log, rng))];
    if !existing.contains_key(&name) && store::insert_secrets(db, &made).await? {
        return Ok(Made { log_key, shares: Vec::new(), joined: true });
    }
    let log_key = open_log_key(config, &root, existing)?.verifier();
    Ok(Made { log_key, shares: Vec::new(), joined: true })
}

const PEPPER: &str = "pepper";
const INDEX: &str = "index";
const DECOY: &str = "decoy";

/// The name of a master key among the secrets.
pub(crate) fn master_name(domain: Domain, epoch: Epoch) -> String {
    format!("master/{domain}/{}", epoch.0)
}

fn log_name(origin: &str) -> String {
    format!("log/{origin}")
}

/// Fetches the root key from its custody, and checks that it opens the secrets.
pub(crate) async fn root_key(
    config: &Config,
    sealed: &BTreeMap<String, Vec<u8>>,
) -> Result<KeyBytes, CeremonyError> {
    let pepper = sealed.get(PEPPER).ok_or_else(|| CeremonyError::Missing(PEPPER.to_owned()))?;
    let right = |root: &KeyBytes| custody::open(root, PEPPER, pepper).is_some();
    let root = config.custody.open(sealed.get(ROOT).map(Vec::as_slice), &right).await?;
    if right(&root) { Ok(root) } else { Err(CustodyError::Wrong(PEPPER.to_owned()).into()) }
}

/// The secrets that never change, in memory.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub pepper: KeyBytes,
    pub index: KeyBytes,
    pub decoy: KeyBytes,
}

/// The master keys of every epoch that was not retired.
pub(crate) type Masters = Vec<(Domain, Epoch, KeyBytes)>;

impl Secrets {
    pub(crate) fn open(
        root: &KeyBytes,
        sealed: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, CeremonyError> {
        Ok(Self {
            pepper: open_secret(root, PEPPER, sealed)?,
            index: open_secret(root, INDEX, sealed)?,
            decoy: open_secret(root, DECOY, sealed)?,
        })
    }
}

/// The master keys among the secrets.
pub(crate) fn open_masters(
    root: &KeyBytes,
    sealed: &BTreeMap<String, Vec<u8>>,
) -> Result<Masters, CeremonyError> {
    let mut masters = Masters::new();
    for name in sealed.keys() {
        let Some((domain, epoch)) = parse_master(name) else { continue };
        masters.push((domain, epoch, open_secret(root, name, sealed)?));
    }
    Ok(masters)
}

fn parse_master(name: &str) -> Option<(Domain, Epoch)> {
    let (domain, epoch) = name.strip_prefix("master/")?.split_once('/')?;
    let domain = Domain::ALL.into_iter().find(|of| of.as_str() == domain)?;
    Some((domain, Epoch(epoch.parse().ok()?)))
}

/// The key that signs the checkpoints of this instance's log.
pub(crate) fn open_log_key(
    config: &Config,
    root: &KeyBytes,
    sealed: &BTreeMap<String, Vec<u8>>,
) -> Result<NoteKey, CeremonyError> {
    let seed = open_secret(root, &log_name(&config.log_origin), sealed)?;
    Ok(NoteKey::new(NoteKind::Log, &config.log_origin, &seed)?)
}

fn open_secret(
    root: &KeyBytes,
    name: &str,
    sealed: &BTreeMap<String, Vec<u8>>,
) -> Result<KeyBytes, CeremonyError> {
    let bytes = sealed.get(name).ok_or_else(|| CeremonyError::Missing(name.to_owned()))?;
    let opened = custody::open(root, name, bytes);
    opened.ok_or_else(|| CustodyError::Wrong(name.to_owned()).into())
}
