//! The secrets of a compartment's halves, in custody: making them, and reading them at every start.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Epoch, KeyBytes, Rng};
use cofferdam_custody::{Custody, CustodyError, Kept, Quorum, Reach, Share};
use cofferdam_store::{Db, KeptHalf, StoreError};
use serde::{Deserialize, Serialize};

use crate::Halves;
use crate::halves::check_value;

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

/// What the sandbox of a compartment must leave open for the custody of its halves.
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

/// Makes the secrets that the configuration names and the database does not know. A file that holds a
/// secret already is taken as it is: another database may have been sealed under it. No instance of the
/// compartment may run: it would go on without them. `sealed_upto` is the highest epoch of any data.
pub async fn make_halves(
    domain: Domain,
    db: &Db,
    configs: &[HalfConfig],
    sealed_upto: Option<Epoch>,
    quorum: Quorum,
    rng: &dyn Rng,
) -> Result<Vec<MadeHalf>, HalfError> {
    let known = db.halves().await?;
    let mut made = Vec::new();
    for (from, custody) in by_epoch(configs)? {
        if known.contains_key(&from) {
            continue;
        }
        if let Some(sealed_upto) = sealed_upto.filter(|upto| *upto >= from) {
            return Err(HalfError::TooEarly { sealed_upto: sealed_upto.0 });
        }
        let (secret, kept) = keep(custody, quorum, rng).map_err(in_custody(from))?;
        let check_value = check_value(domain, from, &secret).to_vec();
        db.insert_half(from, &KeptHalf { sealed: kept.sealed, check_value }).await?;
        made.push(MadeHalf { from, shares: kept.shares });
    }
    Ok(made)
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

/// Fetches the secrets from their custody, and checks each against the database.
pub async fn open_halves(
    domain: Domain,
    db: &Db,
    configs: &[HalfConfig],
) -> Result<Halves, HalfError> {
    let (known, configs) = (db.halves().await?, by_epoch(configs)?);
    if let Some(lacking) = known.keys().find(|from| !configs.contains_key(from)) {
        return Err(HalfError::NotConfigured(lacking.0));
    }
    let mut secrets = BTreeMap::new();
    for (from, custody) in configs {
        let kept = known.get(&from).ok_or(HalfError::NotMade(from.0))?;
        let right = |secret: &KeyBytes| check_value(domain, from, secret)[..] == kept.check_value;
        let secret =
            custody.open(kept.sealed.as_deref(), &right).await.map_err(in_custody(from))?;
        if !right(&secret) {
            return Err(HalfError::Wrong(from.0));
        }
        secrets.insert(from, secret);
    }
    Ok(Halves::new(domain, secrets))
}

fn by_epoch(configs: &[HalfConfig]) -> Result<BTreeMap<Epoch, &Custody>, HalfError> {
    let mut all = BTreeMap::new();
    for HalfConfig { from_epoch, custody } in configs {
        if all.insert(Epoch(*from_epoch), custody).is_some() {
            return Err(HalfError::Twice(*from_epoch));
        }
    }
    Ok(all)
}

fn in_custody(from: Epoch) -> impl Fn(CustodyError) -> HalfError {
    move |source| HalfError::Custody { from: from.0, source }
}
