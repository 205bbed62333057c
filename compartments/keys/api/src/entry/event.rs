//! The events of the release log.

use cofferdam_core::{
    CallerName, Domain, Epoch, Field, FieldSet, Operation, Record, StateId, Timestamp, Touch,
};
use serde::{Deserialize, Serialize};

use super::RecordList;
use crate::addresses::{Search, Ticket};
use crate::budgets::{Budget, LoweringId};
use crate::epochs::EpochChange;
use crate::holds::{Hold, HoldId};
use crate::warrants::WarrantId;

/// An event: one thing that `keys` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The server started with the log in order.
    Started,
    /// The server started and cut a torn end off the log. The bytes were being written when the
    /// server died, before any answer left.
    Recovered {
        /// The number of bytes that were cut.
        bytes_cut: u64,
    },
    /// Keys were released.
    Released {
        /// The caller whom the compartment served.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The domain of the records.
        domain: Domain,
        /// The purpose: to read, to write, or to re-seal.
        operation: Operation,
        /// The fields whose keys were released.
        fields: FieldSet,
        /// The epoch of the keys.
        epoch: Epoch,
        /// The records whose keys were released.
        records: RecordList,
        /// The warrant that covered the release, if a warrant did.
        warrant: Option<WarrantId>,
    },
    /// Passwords were compared, or hardened by an earlier version: people typed them at `caller`.
    Hardened {
        /// The caller at which they were typed.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The customers; [`Record::NOBODY`] is left out.
        records: RecordList,
    },
    /// Addresses were looked up.
    Indexed {
        /// The caller whom the compartment served.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The number of addresses.
        count: u32,
    },
    /// A caller was frozen or thawed, for no incident in particular. Earlier versions wrote this; now
    /// it is [`Event::Held`] and [`Event::LetGo`].
    Froze {
        /// The name of the caller.
        caller: CallerName,
        /// The controller that did it.
        by: CallerName,
        /// `true` if it was frozen, `false` if it was thawed.
        frozen: bool,
        /// The reason that the controller gave.
        reason: String,
    },
    /// A warrant with two good signatures was opened.
    WarrantOpened {
        /// The number of the warrant.
        warrant: WarrantId,
        /// The caller that may use the warrant.
        caller: CallerName,
        /// The fields that may be read.
        fields: FieldSet,
        /// The number of records that may be read.
        records: u32,
        /// The names of the two people who signed.
        approvers: [String; 2],
    },
    /// A warrant was ended.
    WarrantClosed {
        /// The number of the warrant.
        warrant: WarrantId,
        /// The controller that did it.
        by: CallerName,
    },
    /// Records were erased: their keys are never released again.
    Erased {
        /// The caller whom the compartment served.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The domain of the records.
        domain: Domain,
        /// The erased records.
        records: RecordList,
    },
    /// The policy was changed.
    PolicyChanged {
        /// The version in force from now on.
        version: u64,
        /// SHA-256 of the bytes that were signed.
        digest: [u8; 32],
        /// The names of the two people who signed.
        approvers: [String; 2],
    },
    /// A domain's master key was renewed, or an old one destroyed.
    EpochChanged {
        /// The domain of the master key.
        domain: Domain,
        /// The change: a start or a retirement.
        change: EpochChange,
        /// The names of the two people who signed.
        approvers: [String; 2],
    },
    /// An order that voids the credentials of all customers was approved.
    VoidApproved {
        /// The number of the incident.
        incident: u32,
        /// Credentials that were set up to this instant are void.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        set_before: Timestamp,
        /// The names of the signers: two, or one who broke the glass.
        approvers: Vec<String>,
        /// The reason why one signature was enough; none with two signatures.
        break_glass: Option<String>,
    },
    /// A caller's budget was lowered or restored: since then, [`Event::Lowered`] and [`Event::Restored`].
    BudgetLowered {
        /// The name of the caller.
        caller: CallerName,
        /// The operation that the budget is for.
        operation: Operation,
        /// The lower budget; `None` if the policy's was restored.
        budget: Option<Budget>,
        /// The controller that did it.
        by: CallerName,
        /// The reason that the controller gave.
        reason: String,
    },
    /// A domain's master key was renewed by the order of one person.
    EpochForced {
        /// The domain of the master key.
        domain: Domain,
        /// The change, which is always a start.
        change: EpochChange,
        /// The name of the person who signed.
        approver: String,
        /// The reason why one signature was enough.
        reason: String,
    },
    /// A caller asked for fields that are not there: they are unset, or the records do not exist.
    Missed {
        /// The caller whom the compartment served.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The domain of the records.
        domain: Domain,
        /// The fields that the caller now knows to be unset.
        fields: FieldSet,
        /// The records that lack them.
        records: RecordList,
        /// Whether nothing of the records was released by the same call. Then the records count
        /// against the budget by this entry.
        alone: bool,
        /// The warrant that covered the call, if a warrant did.
        warrant: Option<WarrantId>,
    },
    /// Addresses were turned into look-up indexes. Earlier versions wrote [`Event::Indexed`].
    Sought {
        /// The caller whom the compartment served.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The number of addresses.
        count: u32,
        /// The number of the look-up.
        ticket: Ticket,
    },
    /// A compartment found customers by their addresses, or nobody.
    Found {
        /// The caller whom the compartment served.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The purpose of the look-up.
        search: Search,
        /// The number of the look-up.
        ticket: Ticket,
        /// The customers who were found.
        records: RecordList,
    },
    /// A compartment looked addresses up and did not note whom it found.
    Unanswered {
        /// The caller whom the compartment named.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The number of addresses.
        count: u32,
        /// The number of the look-up.
        ticket: Ticket,
        /// The time of the look-up.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        sought: Timestamp,
    },
    /// The key of a certificate was revoked.
    KeyRevoked {
        /// The caller whose key it was.
        caller: CallerName,
        /// SHA-256 of the public key.
        key: [u8; 32],
        /// The controller that did it.
        by: CallerName,
        /// The reason that the controller gave.
        reason: String,
    },
    /// A compartment began with a new state, or staff accepted an older one.
    StateOpened {
        /// The domain of the compartment.
        domain: Domain,
        /// The compartment that asked.
        via: CallerName,
        /// The identity of the state from now on.
        state: StateId,
        /// The first record number that the accepted state does not know, and the number behind
        /// the last one that was given out. None for the first state of a domain.
        lost: Option<[u32; 2]>,
    },
    /// Passwords were hardened beside those of the entry before this one: for nobody, or for a
    /// customer whom that entry names already. They take the budget as well.
    HardenedBeside {
        /// The caller at which they were typed.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The number of passwords.
        count: u32,
    },
    /// A caller was frozen for an incident.
    Held {
        /// The name of the caller.
        caller: CallerName,
        /// The incident's hold.
        hold: Hold,
        /// The earlier holds of the incident on the caller, which end.
        replaces: Vec<HoldId>,
        /// The controller that did it.
        by: CallerName,
        /// The reason that the controller gave.
        reason: String,
    },
    /// An incident let go of a caller, which is thawed if no hold is left.
    LetGo {
        /// The name of the caller.
        caller: CallerName,
        /// The hold that ended.
        hold: Hold,
        /// The number of the incident that let go.
        incident: u32,
        /// The names of the approvers who signed.
        approvers: Vec<String>,
        /// The reason that was signed.
        reason: String,
    },
    /// An order that voids the credentials of a set of customers was approved.
    VoidOfSetApproved {
        /// The number of the incident.
        incident: u32,
        /// Credentials that were set up to this instant are void.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        set_before: Timestamp,
        /// SHA-256 of the set, as in [`CustomerSet`](crate::CustomerSet).
        set: [u8; 32],
        /// The number of customers in the set.
        customers: u32,
        /// The names of the signers: two, or one who broke the glass.
        approvers: Vec<String>,
        /// The reason why one signature was enough; none with two signatures.
        break_glass: Option<String>,
    },
    /// A journal of `response` was anchored.
    JournalAnchored {
        /// The controller that brought it.
        by: CallerName,
        /// The journal, by the number of its incident; 0 for acts of none.
        journal: u32,
        /// The number of entries.
        length: u32,
        /// SHA-256 of the last entry's line.
        head: [u8; 32],
    },
    /// A caller's budget was lowered below the policy's.
    Lowered {
        /// The name of the caller.
        caller: CallerName,
        /// The operation that the budget is for.
        operation: Operation,
        /// The number of the lowering.
        lowering: LoweringId,
        /// The budget from then on.
        budget: Budget,
        /// The earlier lowerings of the budget, which end.
        replaces: Vec<LoweringId>,
        /// The controller that did it.
        by: CallerName,
        /// The reason that the controller gave.
        reason: String,
    },
    /// A lowering ended.
    Restored {
        /// The name of the caller.
        caller: CallerName,
        /// The operation that the budget is for.
        operation: Operation,
        /// The lowering that ended.
        lowering: LoweringId,
        /// The names of the approvers who signed.
        approvers: Vec<String>,
        /// The reason that was signed.
        reason: String,
    },
    /// Verifiers were made of passwords that were typed or imported at `caller`, or a passkey was certified
    /// that a customer added there.
    Enrolled {
        /// The caller at which they were typed or added.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The customers whose passwords or passkeys they are.
        records: RecordList,
        /// Whether the compartment said that a reset code came back.
        attested: bool,
    },
    /// A customer signed in: the compartment got a ticket.
    SignedIn {
        /// The caller at which the customer signed in.
        caller: CallerName,
        /// The compartment that asked.
        via: CallerName,
        /// The group whose callers may show the customer's data.
        group: CallerName,
        /// The customer who signed in.
        record: Record,
        /// The instant at which the ticket ends.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        until: Timestamp,
    },
    /// A compartment named the customers of an order over some.
    VoidOrderNoted {
        /// The number of the incident.
        incident: u32,
        /// Credentials that were set up to this instant are void.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        set_before: Timestamp,
        /// SHA-256 of the set, as in [`CustomerSet`](crate::CustomerSet).
        set: [u8; 32],
        /// The number of customers in the set.
        customers: u32,
        /// The compartment that asked.
        via: CallerName,
    },
}

impl Event {
    /// The data that the entry touched, if any: released keys, passwords that were typed, addresses
    /// by which customers were found, or fields that are known to be unset.
    #[must_use]
    pub fn touch(&self) -> Option<Touch<'_>> {
        match self {
            Self::Released { caller, via, operation, fields, records, .. } => Some(Touch {
                caller,
                via,
                operation: *operation,
                fields: *fields,
                records: records.as_slice(),
            }),
            Self::Hardened { caller, via, records } => Some(Touch {
                caller,
                via,
                operation: Operation::Harden,
                fields: FieldSet::EMPTY,
                records: records.as_slice(),
            }),
            Self::Enrolled { caller, via, records, attested } => Some(Touch {
                caller,
                via,
                operation: if *attested { Operation::Attest } else { Operation::Enrol },
                fields: FieldSet::EMPTY,
                records: records.as_slice(),
            }),
            Self::Missed { caller, via, fields, records, .. } => Some(Touch {
                caller,
                via,
                operation: Operation::Miss,
                fields: *fields,
                records: records.as_slice(),
            }),
            Self::Found { caller, via, records, .. } => Some(Touch {
                caller,
                via,
                operation: Operation::Index,
                fields: FieldSet::EMPTY.with(Field::Email),
                records: records.as_slice(),
            }),
            _ => None,
        }
    }

    /// Whether the entry is rare, and tells more than the touched data.
    #[must_use]
    pub const fn is_notable(&self) -> bool {
        !matches!(
            self,
            Self::Released { .. }
                | Self::Hardened { .. }
                | Self::HardenedBeside { .. }
                | Self::Indexed { .. }
                | Self::Missed { .. }
                | Self::Sought { .. }
                | Self::Found { .. }
                | Self::Enrolled { .. }
                | Self::SignedIn { .. }
                | Self::JournalAnchored { .. }
        )
    }
}
