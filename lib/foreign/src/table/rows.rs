//! The one way out of a reader. Every row is counted here before it leaves, as a person or as a
//! reject, so that the two always add up to the rows of the table.

use cofferdam_core::BroughtPerson;

use super::assumed::Assumed;
use super::row::{BadRow, person};
use super::{TableError, TableMapping, TakeRow};

/// The rows of a table that was read to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableRead {
    /// The number of all rows, whether they could be taken or not.
    pub rows: u64,
    /// The assumptions under which they were read.
    pub assumed: Assumed,
}

impl TableRead {
    /// Adds another file of the same table.
    pub fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.assumed.add(other.assumed);
    }
}

/// The rows of a table that is being read.
pub struct Rows<'a, E> {
    pub(super) mapping: &'a TableMapping,
    pub(super) assumed: Assumed,
    count: u64,
    to: TakeRow<'a, E>,
}

impl<'a, E> Rows<'a, E> {
    pub(super) fn new(mapping: &'a TableMapping, to: TakeRow<'a, E>) -> Self {
        Self { mapping, assumed: Assumed::default(), count: 0, to }
    }

    /// Hands a row on. `cell` gives the text of a column, which is empty if there is no value.
    pub(super) fn take(
        &mut self,
        number: u64,
        cell: &dyn Fn(&str) -> String,
    ) -> Result<(), TableError<E>> {
        let row = person(self.mapping, cell, &mut self.assumed);
        self.hand_on(number, row)
    }

    /// Hands on a row that can't be taken.
    pub(super) fn reject(&mut self, number: u64, fault: BadRow) -> Result<(), TableError<E>> {
        self.hand_on(number, Err(fault))
    }

    fn hand_on(
        &mut self,
        number: u64,
        row: Result<BroughtPerson, BadRow>,
    ) -> Result<(), TableError<E>> {
        self.count += 1;
        (self.to)(number, row).map_err(TableError::Taker)
    }

    pub(super) fn read(self) -> TableRead {
        TableRead { rows: self.count, assumed: self.assumed }
    }
}
