//! Verifiers and look-up indexes that rest elsewhere than under the newest half, and their move there.

use cofferdam_core::Record;
use cofferdam_store::StoreError;
use keys_client::{AtRest, Halves, Resting};

use crate::app::App;
use crate::store::MovedAtRest;

/// Verifiers and indexes of customers that rest elsewhere than under the newest half.
#[derive(Default)]
pub struct RestingElsewhere {
    verifiers: Vec<(Record, AtRest)>,
    indexes: Vec<(Record, AtRest)>,
}

impl RestingElsewhere {
    /// Reads those of the given customers.
    pub async fn read(app: &App, records: &[Record]) -> Result<Self, StoreError> {
        let halves = app.vault.halves();
        // An ordinary rotation moves nothing else, and need not look.
        let Some(newest) = halves.newest().filter(|_| !halves.is_complete()) else {
            return Ok(Self::default());
        };
        let elsewhere = |(_, at_rest): &(Record, AtRest)| at_rest.half != Some(newest);
        let mut verifiers = app.store.verifiers_of(records).await?;
        let mut indexes = app.store.indexes_of(records).await?;
        verifiers.retain(elsewhere);
        indexes.retain(elsewhere);
        Ok(Self { verifiers, indexes })
    }

    /// The same under the newest half.
    pub fn moved(self, halves: &Halves) -> (Vec<MovedAtRest>, Vec<MovedAtRest>) {
        let index = |_| Resting::Index;
        (move_all(halves, self.verifiers, Resting::Verifier), move_all(halves, self.indexes, index))
    }
}

/// Moves bytes at rest to the newest half. Bytes that do not open stay where they are, so that one
/// damaged row keeps no other customer from moving.
fn move_all(
    halves: &Halves,
    all: Vec<(Record, AtRest)>,
    place: impl Fn(Record) -> Resting,
) -> Vec<MovedAtRest> {
    let moved = all.into_iter().filter_map(|(record, old)| {
        let secret = halves.open(place(record), &old).ok()?;
        let new = halves.rest(place(record), &secret).ok()?;
        Some(MovedAtRest { record, old, new })
    });
    moved.collect()
}
