//! The `keys` compartment as seen from here: each answer is checked against its question.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, Domain, Epoch, FieldKey, KeyBytes, Operation, Record};
use cofferdam_wire::{CallError, Client, Problem, ProblemType};
use keys_api::{
    ApproveVoid, ClaimDecoys, DomainEpochs, EraseRecords, HardenItem, HardenPasswords,
    IndexAddresses, KeyGroup, ReadEpochs, ReleaseKeys, ReleasedGroup, ReportMail, Signed,
    VoidOrder, WarrantId,
};

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
                Self::new(ProblemType::UPSTREAM, "another compartment's answer is incomplete")
            }
        }
    }
}

/// What keys are wanted for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The client that is served.
    pub caller: &'a CallerName,
    /// To read, to seal or to reseal.
    pub operation: Operation,
    /// Which keys of which records.
    pub groups: Vec<KeyGroup>,
    /// The warrant to draw on.
    pub warrant: Option<WarrantId>,
}

/// The keys of some records. They go with the request that asked for them.
#[derive(Debug)]
pub struct Released {
    /// One a group, in their order.
    pub groups: Vec<GroupKeys>,
    /// Records withheld under a warrant, since nobody lives there.
    pub decoys: Vec<Record>,
}

/// The keys of one group.
#[derive(Debug)]
pub struct GroupKeys {
    /// The epoch of the keys.
    pub epoch: Epoch,
    /// For each record its keys, in the order of the fields' numbers. Records that were erased,
    /// and decoys under a warrant, have none.
    pub keys: BTreeMap<Record, Vec<FieldKey>>,
}

impl From<ReleasedGroup> for GroupKeys {
    fn from(group: ReleasedGroup) -> Self {
        let keys = group.records.into_iter().map(|r| (r.record, r.keys)).collect();
        Self { epoch: group.epoch, keys }
    }
}

impl Keys {
    /// Speaks through `client`.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// The keys of some fields of some records: of all groups, or an error.
    pub async fn release(&self, wanted: Wanted<'_>) -> Result<Released, KeysError> {
        let call = ReleaseKeys {
            domain: Domain::Accounts,
            caller: wanted.caller.clone(),
            operation: wanted.operation,
            groups: wanted.groups,
            warrant: wanted.warrant,
        };
        let answer = self.client.call(&call).await?;
        if !answer.answers(&call) {
            return Err(KeysError::Mismatch);
        }
        let groups = answer.groups.into_iter().map(GroupKeys::from).collect();
        Ok(Released { groups, decoys: answer.decoys })
    }

    /// Erases a record: its keys are never released again.
    pub async fn erase(&self, caller: &CallerName, record: Record) -> Result<(), KeysError> {
        let (domain, caller) = (Domain::Accounts, caller.clone());
        Ok(self.client.call(&EraseRecords { domain, caller, records: vec![record] }).await?)
    }

    /// Has a void order over everybody approved: two people must have signed it.
    pub async fn approve_void(&self, order: Signed<VoidOrder>) -> Result<(), KeysError> {
        Ok(self.client.call(&ApproveVoid { order }).await?)
    }

    /// Tells that mail came for a customer.
    pub async fn report_mail(&self, record: Record) -> Result<(), KeysError> {
        Ok(self.client.call(&ReportMail { record }).await?)
    }

    /// The epochs of the customers' master key.
    pub async fn epochs(&self) -> Result<DomainEpochs, KeysError> {
        Ok(self.client.call(&ReadEpochs { domain: Domain::Accounts }).await?)
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
