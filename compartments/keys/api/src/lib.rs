//! What the `keys` compartment says over the wire: its calls, its release log, and the orders
//! that two people sign.
//!
//! May touch: `cofferdam-core` only. Called by: `keys/server`, and as a client's vocabulary by
//! `accounts`, `payments`, `response` and the CLI.

mod alarms;
mod callers;
mod contain;
mod decoys;
mod entry;
mod epochs;
mod log;
mod passwords;
mod policy;
mod problems;
mod release;
mod signed;
mod warrant;

pub use alarms::{Alarm, AlarmKind, ReadAlarms};
pub use callers::{CallerStatus, FreezeCaller, ListCallers};
pub use contain::{ApproveVoidOrder, LowerBudget, VoidOrder};
pub use decoys::{ClaimDecoys, ClaimedDecoys, ReportMail};
pub use entry::{BadEntry, Entry, Event, MAX_ENTRY, RecordList, glance};
pub use epochs::{ChangeEpoch, DomainEpochs, EpochChange, EpochOrder, ReadEpochs};
pub use log::{
    CheckpointAnswer, CosignCheckpoint, Inclusion, LogEntries, NodeHash, ProveEntry,
    ReadCheckpoint, ReadEntries,
};
pub use passwords::{
    HardenItem, HardenPasswords, HardenedPasswords, IndexAddresses, IndexedAddresses,
};
pub use policy::{BadPolicy, Budget, CallerPolicy, ChangePolicy, Grant, Policy, ReadPolicy};
pub use problems::{DECOYS_CLAIMED, EPOCH_OUTDATED, ORDER_REFUSED, POLICY_OUTDATED};
pub use release::{EraseRecords, KeyGroup, RecordKeys, ReleaseKeys, ReleasedGroup, ReleasedKeys};
pub use signed::{
    ApproverKey, ApproverSecret, BadApproverKey, BadSignature, Order, Signature, Signed,
};
pub use warrant::{BadWarrantId, CloseWarrant, OpenWarrant, Warrant, WarrantId};

/// The most records that one call may name. A log entry for as many stays below
/// [`MAX_ENTRY`] whatever their numbers are.
pub const MAX_BATCH: usize = 10_000;
