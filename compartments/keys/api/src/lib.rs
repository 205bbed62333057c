//! The calls and answers of the `keys` compartment, a file a noun; the entries of its release log;
//! and the orders that two people sign.
//!
//! May touch: `cofferdam-core` only. Called by: `keys/server`, `keys/client`, and as a client's
//! vocabulary by `response` and the CLI.

mod addresses;
mod alarms;
mod budgets;
mod callers;
mod checkpoints;
mod decoys;
mod entries;
mod entry;
mod epochs;
mod holds;
mod journals;
mod keys;
mod mail;
mod passkeys;
mod passwords;
mod policies;
mod presence;
mod problems;
mod records;
mod revoked_keys;
mod signed;
mod states;
mod void_orders;
mod warrants;
mod webauthn;

pub use addresses::{IndexAddresses, IndexedAddresses, NoteAddresses, Search, Ticket};
pub use alarms::{Alarm, AlarmKind, ReadAlarms};
pub use budgets::{Budget, LowerBudget, Lowering, LoweringId, RestoreBudget, RestoreOrder};
pub use callers::{CallerStatus, ListCallers};
pub use checkpoints::{CheckpointAnswer, CosignCheckpoint, NodeHash, ReadCheckpoint};
pub use cofferdam_core::AddRevokedKey;
pub use cofferdam_core::JournalHead;
pub use decoys::{ClaimDecoys, ClaimedDecoys};
pub use entries::{Inclusion, LogEntries, ProveEntry, ReadEntries};
pub use entry::{BadEntry, Entry, Event, MAX_ENTRY, RecordList, summarize};
pub use epochs::{ChangeEpoch, DomainEpochs, EpochChange, EpochOrder, ReadEpochs};
pub use holds::{CheckCaller, FreezeCaller, Hold, HoldId, ReadHolds, ThawCaller, ThawOrder};
pub use journals::AnchorJournal;
pub use keys::{KeyGroup, RecordKeys, ReleaseKeys, ReleasedGroup, ReleasedKeys};
pub use mail::ReportMail;
pub use passkeys::{
    AskPasskey, CheckPasskey, CheckedPasskey, EnrolPasskey, Passkey, PasskeyChallenge,
    PasskeyEnrolment,
};
pub use passwords::{
    CheckPassword, CheckedPassword, EnrolItem, EnrolPasswords, EnrolledPasswords, Enrolment,
    RightPassword, Verifier,
};
pub use policies::{BadPolicy, CallerPolicy, ChangePolicy, Grant, Policy, ReadPolicy};
pub use presence::{ListGroups, NewSession, Presence, PresenceTicket};
pub use problems::{
    DECOYS_CLAIMED, EPOCH_OUTDATED, JOURNAL_CONTRADICTS, NO_SUCH_HOLD, NO_SUCH_LOWERING,
    NOT_PRESENT, ORDER_REFUSED, POLICY_OUTDATED, RECORDS_SEALED,
};
pub use records::EraseRecords;
pub use revoked_keys::{ListRevokedKeys, RevokedKey};
pub use signed::{
    ApproverKey, ApproverSecret, BadApproverKey, BadSignature, Order, Signature, Signed,
};
pub use states::{
    AcceptState, AcceptedState, CheckState, CheckedState, LogCheckpoint, SeenLog, Standing, Trouble,
};
pub use void_orders::{ApproveVoidOrder, CustomerSet, NoteVoidOrder, VoidOrder};
pub use warrants::{BadWarrantId, CloseWarrant, OpenWarrant, Warrant, WarrantId};
pub use webauthn::{AuthenticatorData, BadStatement, ClientData};

/// The most records that one call may name. A log entry with as many stays below [`MAX_ENTRY`],
/// whatever their numbers are.
pub const MAX_BATCH: usize = 10_000;
