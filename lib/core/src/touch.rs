//! Who did what with whose data: what indexes and scopes are made of.

use crate::{CallerName, FieldSet, Operation, Record, Timestamp};

/// What one entry of a log touched.
#[derive(Debug)]
pub struct Touch<'a> {
    /// For whom.
    pub caller: &'a CallerName,
    /// Through which compartment.
    pub via: &'a CallerName,
    /// What.
    pub operation: Operation,
    /// Which fields, if the operation names any.
    pub fields: FieldSet,
    /// Which records, ascending.
    pub records: &'a [Record],
}

/// What an index keeps of one entry of a log.
#[derive(Debug)]
pub struct Glance<'a> {
    /// When it was written, by the clock of who wrote it.
    pub at: Timestamp,
    /// Whose data it touched, if any.
    pub touch: Option<Touch<'a>>,
    /// Whether it is rare and matters whole, as a warrant or a start: an index keeps it as it is.
    pub notable: bool,
}

/// Reads an entry's bytes and shows what is in them; `false` when they make no sense.
pub type Glancer = fn(&[u8], &mut dyn FnMut(&Glance<'_>)) -> bool;
