//! The secrets of a compartment's halves, in custody: making them, and reading them at every start.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::PathBuf;

use cofferdam_core::{Domain, Epoch, KeyBytes, Rng};
use cofferdam_custody::{Custody, CustodyError, Kept, Quorum, Reach, Share};
use cofferdam_store::{Db, HalfStage, KeptHalf, StoreError};
use serde::{Deserialize, Serialize};

use crate::halves::check_value;
use crate::{Halves, Vault};

/// `[[halves]]` in a compartment's configuration: a secret in its custody.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfConfig {
    /// The first epoch whose keys take this half: 0 for a new compartment, the next epoch for one
    /// that holds data.
    pub from_epoch: u16,
    /// The custody of the secret.
    pub custody: Custody,
}

/// Halves that can't be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HalfError {
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret can't be put into custody, or fetched from it.
    #[error("the half from epoch {from}: {source}")]
    Custody {
        /// The first epoch of the half.
        from: u16,
        /// The error of the custody.
        source: CustodyError,
    },
    /// The configuration names an epoch twice.
    #[error("two [[halves]] have from_epoch = {0}")]
    Twice(u16),
    /// Two halves would have the same secret.
    #[error("two [[halves]] name the file {}: each needs a secret of its own", .0.display())]
    SameFile(PathBuf),
    /// Another command made a half at the same time.
    #[error("another command made a half at the same time; look at what it printed, and try again")]
    Raced,
    /// The half would not begin with the next epoch.
    #[error(
        "the current epoch is {current}; until the half from epoch {from} begins, nothing is sealed \
         under it: write from_epoch = {next}", next = current + 1
    )]
    TooLate {
        /// The first epoch of the half.
        from: u16,
        /// The current epoch.
        current: u16,
    },
    /// The configuration names a half that was not made.
    #[error("the half from epoch {0} was not made for this database")]
    NotMade(u16),
    /// The configuration lacks a half that was made.
    #[error(
        "the configuration lacks the half from epoch {0}, under which this database may hold data; \
         add its [[halves]]"
    )]
    NotConfigured(u16),
    /// The secret in custody is another one than that under which the database was sealed.
    #[error(
        "the secret of the half from epoch {0} is not the one that was made for this database; \
         bring its backup back"
    )]
    Wrong(u16),
    /// Data is sealed under the epoch already, without the half.
    #[error(
        "the database holds data of epoch {sealed_upto}; a new half begins later: write \
         from_epoch = {next}", next = sealed_upto + 1
    )]
    TooEarly {
        /// The highest epoch under which data is sealed.
        sealed_upto: u16,
    },
}

/// A half that was made.
#[derive(Debug)]
pub struct MadeHalf {
    /// The first epoch of the half.
    pub from: Epoch,
    /// The shares of the custodians, each for one person; empty if the secret is not in their
    /// custody.
    pub shares: Vec<Share>,
}

/// The epochs whose keys take one half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HalfSpan {
    /// The first epoch.
    pub from: Epoch,
    /// The first epoch of the next half; the end of all epochs for the newest one.
    pub until: Epoch,
}

/// The files, directories and ports that the custody of a compartment's halves needs in a sandbox.
#[must_use]
pub fn reach_of_halves(configs: &[HalfConfig]) -> Reach {
    let mut all = Reach::default();
    for Reach { read, write, connect } in configs.iter().map(|of| of.custody.reach()) {
        all.read.extend(read);
        all.write.extend(write);
        all.connect.extend(connect);
    }
    all
}

/// Makes the secrets that the configuration names and the database does not know, all or none. A file
/// that holds a secret already is taken as it is: another database may have been sealed under it. No
/// instance of the compartment may run. `sealed_upto` is the highest epoch of any data.
pub async fn make_halves(
    keys: &Vault,
    db: &Db,
    configs: &[HalfConfig],
    sealed_upto: Option<Epoch>,
    quorum: Quorum,
    rng: &dyn Rng,
) -> Result<Vec<MadeHalf>, HalfError> {
    let known = db.halves().await?;
    let (mut made, mut rows) = (Vec::new(), BTreeMap::new());
    for (from, custody) in by_epoch(configs)? {
        if known.contains_key(&from) {
            continue;
        }
        check_beginning(keys, from, sealed_upto).await?;
        let (secret, kept) = keep(custody, quorum, rng).map_err(in_custody(from))?;
        let check_value = check_value(keys.halves().domain(), from, &secret).to_vec();
        // Before there is any data, all of it rests under the first half.
        let first = from == Epoch(0) && sealed_upto.is_none();
        let stage = if first { HalfStage::Complete } else { HalfStage::Made };
        rows.insert(from, KeptHalf { sealed: kept.sealed, check_value, stage });
        made.push(MadeHalf { from, shares: kept.shares });
    }
    if db.insert_halves(&rows).await? { Ok(made) } else { Err(HalfError::Raced) }
}

/// Checks that a half begins after all data and, if `keys` answers, no later than with the next epoch. A
/// later beginning is no danger, but nothing is sealed under the half until then.
async fn check_beginning(
    keys: &Vault,
    from: Epoch,
    sealed_upto: Option<Epoch>,
) -> Result<(), HalfError> {
    if let Some(sealed_upto) = sealed_upto.filter(|upto| *upto >= from) {
        return Err(HalfError::TooEarly { sealed_upto: sealed_upto.0 });
    }
    if from == Epoch(0) {
        return Ok(());
    }
    let Ok(epochs) = keys.epochs().await else { return Ok(()) };
    let current = epochs.current;
    if from.0 > current.0.saturating_add(1) {
        return Err(HalfError::TooLate { from: from.0, current: current.0 });
    }
    Ok(())
}

fn keep(
    custody: &Custody,
    quorum: Quorum,
    rng: &dyn Rng,
) -> Result<(KeyBytes, Kept), CustodyError> {
    if let Some(existing) = custody.existing()? {
        return Ok((existing, Kept::default()));
    }
    let secret = KeyBytes::new(rng.bytes());
    let kept = custody.keep(&secret, quorum, rng)?;
    Ok((secret, kept))
}

/// Fetches the secrets from their custody, and checks each against the database. A half that the
/// configuration no longer names is forgotten if nothing rests under it, which `holds` tells.
pub async fn open_halves(
    domain: Domain,
    db: &Db,
    configs: &[HalfConfig],
    holds: impl AsyncFn(HalfSpan) -> Result<bool, StoreError>,
) -> Result<Halves, HalfError> {
    let (known, configs) = (db.halves().await?, by_epoch(configs)?);
    for from in known.keys().copied().filter(|from| !configs.contains_key(from)) {
        let next = known.range((Bound::Excluded(from), Bound::Unbounded)).next();
        let until = next.map_or(Epoch(u16::MAX), |(until, _)| *until);
        if holds(HalfSpan { from, until }).await? {
            return Err(HalfError::NotConfigured(from.0));
        }
        tracing::warn!(from = from.0, "nothing rests under a half, which is forgotten");
        db.forget_half(from).await?;
    }
    let mut secrets = BTreeMap::new();
    for (from, custody) in &configs {
        let kept = known.get(from).ok_or(HalfError::NotMade(from.0))?;
        let right = |secret: &KeyBytes| check_value(domain, *from, secret)[..] == kept.check_value;
        let opened = custody.open(kept.sealed.as_deref(), &right).await;
        let secret = opened.map_err(in_custody(*from))?;
        if !right(&secret) {
            return Err(HalfError::Wrong(from.0));
        }
        secrets.insert(*from, secret);
    }
    let halves = Halves::new(domain, secrets);
    for (from, kept) in known.iter().filter(|(from, _)| configs.contains_key(from)) {
        if kept.stage >= HalfStage::Begun {
            halves.begin(*from);
        }
        if kept.stage == HalfStage::Complete && halves.newest() == Some(*from) {
            halves.complete();
        }
    }
    Ok(halves)
}

fn by_epoch(configs: &[HalfConfig]) -> Result<BTreeMap<Epoch, &Custody>, HalfError> {
    let mut all = BTreeMap::new();
    for HalfConfig { from_epoch, custody } in configs {
        if all.insert(Epoch(*from_epoch), custody).is_some() {
            return Err(HalfError::Twice(*from_epoch));
        }
    }
    let mut files = BTreeSet::new();
    for custody in all.values() {
        if let Custody::File { root_key } = custody
            && !files.insert(root_key)
        {
            return Err(HalfError::SameFile(root_key.clone()));
        }
    }
    Ok(all)
}

fn in_custody(from: Epoch) -> impl Fn(CustodyError) -> HalfError {
    move |source| HalfError::Custody { from: from.0, source }
}
