//! The ceremony in which a compartment's secrets are made, and how they are read at every start:
//! each 32 random bytes, sealed under the root key in the database.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Epoch, KeyBytes, Rng};
use cofferdam_store::{Db, StoreError};
use cofferdam_tlog::notes::{BadNote, NoteKey, NoteKind};
use keys_api::{BadPolicy, Policy, Signed};

use crate::config::Config;
use crate::custody::{self, CustodyError, Quorum, Share};
use crate::store;

/// A ceremony that failed; nothing was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root key can't be kept, or not be had.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// The log's name can't stand in a note.
    #[error(transparent)]
    Origin(#[from] BadNote),
    /// The policy makes no sense.
    #[error(transparent)]
    Policy(#[from] BadPolicy),
    /// So many shares can't be made.
    #[error("the threshold is 2 to the number of custodians, who are 255 at most")]
    Quorum,
    /// Somebody else held a ceremony at the same time.
    #[error("the secrets were made by somebody else at the same time")]
    Raced,
    /// There are no secrets, or not all of them.
    #[error("the secret {0} is missing; run: cofferdam keys init --config keys.toml")]
    Missing(String),
}

/// What a ceremony made.
#[derive(Debug)]
pub struct Made {
    /// The log's verifier key: the public half, for those who check the log.
    pub log_key: String,
    /// The custodians' shares, where custodians guard the root key: each for one person.
    pub shares: Vec<Share>,
    /// Whether the secrets were there, and this instance joined those that share them.
    pub joined: bool,
}

/// What is decided before a ceremony.
pub struct Decided {
    /// The first policy.
    pub policy: Policy,
    /// How many custodians, and how many open; counts only where custodians guard the root key.
    pub quorum: Quorum,
    /// The key that chooses the decoys; `None`: a random one.
    pub decoy_key: Option<KeyBytes>,
}

/// Makes all secrets, the log's key and the first policy; where they are made already, only the
/// key of this instance's own log.
pub async fn init(config: &Config, decided: Decided, rng: &dyn Rng) -> Result<Made, CeremonyError> {
    decided.policy.check()?;
    let Quorum { custodians, threshold } = decided.quorum;
    if !(2..=custodians).contains(&threshold) {
        return Err(CeremonyError::Quorum);
    }
    let log = KeyBytes::new(rng.bytes());
    let log_key = NoteKey::new(NoteKind::Log, &config.log_origin, &log)?.verifier();
    let db = Db::open(&config.database, store::MIGRATIONS).await?;
    let made = hold(config, &db, decided, &log, log_key, rng).await;
    db.close().await;
    made
}

async fn hold(
    config: &Config,
    db: &Db,
    decided: Decided,
    log: &KeyBytes,
    log_key: String,
    rng: &dyn Rng,
) -> Result<Made, CeremonyError> {
    let there = store::secrets(db).await?;
    if !there.is_empty() {
        return join(config, db, &there, log, log_key, rng).await;
    }
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

/// What the module sealed the root key to; the one secret that is not sealed under it.
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

async fn join(
    config: &Config,
    db: &Db,
    there: &BTreeMap<String, Vec<u8>>,
    log: &KeyBytes,
    log_key: String,
    rng: &dyn Rng,
) -> Result<Made, CeremonyError> {
    let root = root_key(config, there).await?;
    let name = log_name(&config.log_origin);
    let made = [(name.clone(), custody::seal(&root, &name, log, rng))];
    if !there.contains_key(&name) && store::insert_secrets(db, &made).await? {
        return Ok(Made { log_key, shares: Vec::new(), joined: true });
    }
    let log_key = open_log_key(config, &root, there)?.verifier();
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

/// Fetches the root key from its custody; it must open the secrets that are there.
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

/// Master keys, of every epoch that was not retired.
pub(crate) type Masters = Vec<(Domain, Epoch, KeyBytes)>;

impl Secrets {
    pub(crate) fn open(
        root: &KeyBytes,
        sealed: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, CeremonyError> {
        Ok(Self {
            pepper: open_one(root, PEPPER, sealed)?,
            index: open_one(root, INDEX, sealed)?,
            decoy: open_one(root, DECOY, sealed)?,
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
        masters.push((domain, epoch, open_one(root, name, sealed)?));
    }
    Ok(masters)
}

fn parse_master(name: &str) -> Option<(Domain, Epoch)> {
    let (domain, epoch) = name.strip_prefix("master/")?.split_once('/')?;
    let domain = Domain::ALL.into_iter().find(|of| of.as_str() == domain)?;
    Some((domain, Epoch(epoch.parse().ok()?)))
}

/// The key that signs this instance's checkpoints.
pub(crate) fn open_log_key(
    config: &Config,
    root: &KeyBytes,
    sealed: &BTreeMap<String, Vec<u8>>,
) -> Result<NoteKey, CeremonyError> {
    let seed = open_one(root, &log_name(&config.log_origin), sealed)?;
    Ok(NoteKey::new(NoteKind::Log, &config.log_origin, &seed)?)
}

fn open_one(
    root: &KeyBytes,
    name: &str,
    sealed: &BTreeMap<String, Vec<u8>>,
) -> Result<KeyBytes, CeremonyError> {
    let bytes = sealed.get(name).ok_or_else(|| CeremonyError::Missing(name.to_owned()))?;
    let opened = custody::open(root, name, bytes);
    opened.ok_or_else(|| CustodyError::Wrong(name.to_owned()).into())
}
