//! Verifiers and look-up indexes that rest elsewhere than under the newest half, and their move there.

use cofferdam_core::Record;
use cofferdam_store::StoreError;
use keys_client::{AtRest, Halves, Resting, VaultError};

use crate::app::App;
use crate::store::{MovedIndex, MovedVerifier};

/// Verifiers and indexes of customers that rest elsewhere than under the newest half.
#[derive(Default)]
pub struct RestingElsewhere {
    verifiers: Vec<(Record, AtRest)>,
    indexes: Vec<(Record, AtRest)>,
}

impl RestingElsewhere {
    /// Reads those of the given customers.
    pub async fn read(app: &App, records: &[Record]) -> Result<Self, StoreError> {
        let Some(newest) = app.vault.halves().newest() else { return Ok(Self::default()) };
        let elsewhere = |(_, at_rest): &(Record, AtRest)| at_rest.half != Some(newest);
        let mut verifiers = app.store.verifiers_of(records).await?;
        let mut indexes = app.store.indexes_of(records).await?;
        verifiers.retain(elsewhere);
        indexes.retain(elsewhere);
        Ok(Self { verifiers, indexes })
    }

    /// The same under the newest half. What does not open stays where it is, so that one damaged row
    /// keeps no other customer from moving.
    pub fn moved(self, halves: &Halves) -> (Vec<MovedVerifier>, Vec<MovedIndex>) {
        let verifiers = self.verifiers.into_iter().filter_map(|(record, old)| {
            let new = moved(halves, Resting::Verifier(record), &old).ok()?;
            Some(MovedVerifier { record, old, new })
        });
        let indexes = self.indexes.into_iter().filter_map(|(record, old)| {
            let new = moved(halves, Resting::Index, &old).ok()?;
            Some(MovedIndex { record, old, new })
        });
        (verifiers.collect(), indexes.collect())
    }
}

fn moved(halves: &Halves, place: Resting, old: &AtRest) -> Result<AtRest, VaultError> {
    halves.rest(place, &halves.open(place, old)?)
}
