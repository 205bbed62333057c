//! The accesses in a log entry, from which indexes and scopes are built.

use crate::{CallerName, FieldSet, Operation, Record, Timestamp};

/// The access that one log entry records.
#[derive(Debug)]
pub struct Touch<'a> {
    /// The caller on whose behalf the records were touched.
    pub caller: &'a CallerName,
    /// The compartment that asked on the caller's behalf.
    pub via: &'a CallerName,
    /// The operation on the records.
    pub operation: Operation,
    /// The fields touched; empty if the operation names none.
    pub fields: FieldSet,
    /// The records touched, in ascending order.
    pub records: &'a [Record],
}

/// The parts of one log entry that an index keeps.
#[derive(Debug)]
pub struct EntrySummary<'a> {
    /// The time of the entry, by the clock of the machine that wrote it.
    pub at: Timestamp,
    /// The access, if the entry records one.
    pub touch: Option<Touch<'a>>,
    /// Whether an index keeps the whole entry. Rare entries that a scope needs in full are notable,
    /// such as a warrant or a start of `keys`.
    pub notable: bool,
}

/// Decodes an entry and hands its [`EntrySummary`] to the visitor. Returns `false` if the bytes
/// can't be decoded.
pub type SummarizeEntry = fn(&[u8], &mut dyn FnMut(&EntrySummary<'_>)) -> bool;
