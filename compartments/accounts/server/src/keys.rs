//! The `keys` compartment as seen from here: each answer is checked against its question.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, Domain, Epoch, FieldKey, FieldSet, KeyBytes, Operation, Record};
use cofferdam_wire::{CallError, Client, Problem, ProblemKind};
use keys_api::{ClaimDecoys, HardenItem, HardenPasswords, IndexAddresses, ReleaseKeys, WarrantId};

use crate::store::EmailIndex;

/// A client of `keys`.
#[derive(Debug)]
pub struct Keys {
    client: Client,
}

/// Why `keys` gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It refused, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It answered something else than was asked.
    #[error("keys answered for other items than it was asked for")]
    Mismatch,
}

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Call(e) => e.into(),
            KeysError::Mismatch => {
                tracing::error!("{error}");
                Self::new(ProblemKind::Upstream, "another compartment's answer is incomplete")
            }
        }
    }
}

/// What keys are wanted for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The client that is served.
    pub caller: &'a CallerName,
    /// To read or to seal.
    pub operation: Operation,
    /// Which fields.
    pub fields: FieldSet,
    /// The epoch that the records are sealed under; `None` to seal.
    pub epoch: Option<Epoch>,
    /// Ascending, none twice.
    pub records: Vec<Record>,
    /// The warrant to draw on.
    pub warrant: Option<WarrantId>,
}

/// The keys of some records. They go with the request that asked for them.
#[derive(Debug)]
pub struct Released {
    /// The epoch of the keys.
    pub epoch: Epoch,
    /// For each record its keys, in the order of the fields' numbers.
    pub keys: BTreeMap<Record, Vec<FieldKey>>,
    /// Records withheld under a warrant, since nobody lives there.
    pub decoys: Vec<Record>,
}

impl Keys {
    /// Speaks through `client`.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// The keys of some fields of some records: of every one of them, or an error.
    pub async fn release(&self, wanted: Wanted<'_>) -> Result<Released, KeysError> {
        let call = ReleaseKeys {
            domain: Domain::Accounts,
            caller: wanted.caller.clone(),
            operation: wanted.operation,
            fields: wanted.fields,
            epoch: wanted.epoch,
            records: wanted.records,
            warrant: wanted.warrant,
        };
        let answer = self.client.call(&call).await?;
        if !answer.answers(&call) {
            return Err(KeysError::Mismatch);
        }
        let keys = answer.records.into_iter().map(|r| (r.record, r.keys)).collect();
        Ok(Released { epoch: answer.epoch, keys, decoys: answer.decoys })
    }

    /// Applies the pepper; the verifiers come in the order of `items`.
    pub async fn harden(
        &self,
        caller: &CallerName,
        items: Vec<HardenItem>,
    ) -> Result<Vec<KeyBytes>, KeysError> {
        let count = items.len();
        let call = HardenPasswords { caller: caller.clone(), items };
        let answer = self.client.call(&call).await?;
        if answer.verifiers.len() == count {
            Ok(answer.verifiers)
        } else {
            Err(KeysError::Mismatch)
        }
    }

    /// The look-up indexes of addresses, in the order of `digests`.
    pub async fn index(
        &self,
        caller: &CallerName,
        digests: Vec<KeyBytes>,
    ) -> Result<Vec<EmailIndex>, KeysError> {
        let count = digests.len();
        let answer = self.client.call(&IndexAddresses { caller: caller.clone(), digests }).await?;
        if answer.indexes.len() != count {
            return Err(KeysError::Mismatch);
        }
        Ok(answer.indexes.iter().map(|index| *index.expose()).collect())
    }

    /// The look-up index of one address.
    pub async fn index_one(
        &self,
        caller: &CallerName,
        digest: KeyBytes,
    ) -> Result<EmailIndex, KeysError> {
        self.index(caller, vec![digest]).await?.pop().ok_or(KeysError::Mismatch)
    }

    /// Which of a range of new numbers are decoys.
    pub async fn claim(&self, from: Record, count: u32) -> Result<Vec<Record>, KeysError> {
        let call = ClaimDecoys { domain: Domain::Accounts, from, count };
        Ok(self.client.call(&call).await?.decoys)
    }
}
