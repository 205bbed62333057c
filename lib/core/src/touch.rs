//! Who did what with whose data: what indexes and scopes are made of.

use crate::{CallerName, FieldSet, Operation, Record};

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
