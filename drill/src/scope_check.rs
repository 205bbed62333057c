//! Compares the exposure, which `response` computes from the logs alone, with the truth.

use std::collections::BTreeMap;
use std::io;

use cofferdam_core::Field;
use cofferdam_wire::Client;
use response_api::{Exposure, IncidentId, Level, ReadExposure, ScopeIncident};
use roaring::RoaringBitmap;

use crate::error::DrillError;
use crate::recorder::Recorder;
use crate::tally::{Fields, Tally};

/// An exposure, and its difference from the truth.
pub struct Scoped {
    /// The exposure that `response` computed.
    pub exposure: Exposure,
    /// The difference from the truth.
    pub difference: Difference,
}

/// The difference between exposure and truth, in fields of records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The number of fields in the truth that the exposure lacks.
    missed: u64,
    /// The number of fields in the exposure that the truth lacks.
    wrong: u64,
    /// The fields and levels that differ, in words.
    places: Vec<String>,
    /// The number of customers whose field was read, for each field. Decoys don't count.
    read: BTreeMap<Field, u64>,
}

/// Scopes an incident, and compares every field at each level with the truth. With `from_log`,
/// every entry of the log is read as well as the index.
pub async fn scope(
    response: &Client,
    incident: IncidentId,
    from_log: bool,
    truth: &Tally,
    customers: &RoaringBitmap,
) -> Result<Scoped, DrillError> {
    let exposure = staff::call(response, &ScopeIncident { incident, from_log }).await?;
    let mut difference = Difference::default();
    for field in Field::ALL.iter().copied() {
        let of = |fields: &Fields| fields.get(&field).cloned().unwrap_or_default();
        let (read, presented) = (of(&truth.read), of(&truth.presented));
        let found = exposed(response, incident, Level::KnownUnset, field).await?;
        difference.compare(&format!("{field} known to be unset"), &of(&truth.unset), &found);
        let found = exposed(response, incident, Level::Read, field).await?;
        difference.compare(&format!("{field} read"), &read, &found);
        let people = found.intersection_len(customers);
        difference.read.extend((people > 0).then_some((field, people)));

        let found = exposed(response, incident, Level::Presented, field).await?;
        difference.compare(&format!("{field} presented"), &presented, &found);
    }
    Ok(Scoped { exposure, difference })
}

impl Scoped {
    /// Writes the figures into the report.
    pub fn record(&self, recorder: &mut Recorder<'_>) {
        let Self { exposure, difference } = self;
        let report = &mut recorder.report.exposure;
        (report.read, report.presented) = (exposure.people.read, exposure.people.presented);
        report.reachable = exposure.people.reachable;
        report.known_unset = exposure.people.known_unset;
        (report.missed, report.wrong) = (difference.missed, difference.wrong);
        report.fields = difference.read.clone();
    }
}

impl Difference {
    /// Whether exposure and truth are the same.
    pub const fn is_none(&self) -> bool {
        self.missed + self.wrong == 0
    }

    /// The difference in words.
    pub fn in_words(&self) -> String {
        match self.places.as_slice() {
            [] => "nothing missed, nothing wrong, in every field".to_owned(),
            places => places.join("; "),
        }
    }

    fn compare(&mut self, place: &str, truth: &RoaringBitmap, found: &RoaringBitmap) {
        let (missed, wrong) = ((truth - found).len(), (found - truth).len());
        self.missed += missed;
        self.wrong += wrong;
        if missed + wrong > 0 {
            self.places.push(format!("{place}: {missed} missed, {wrong} wrong"));
        }
    }
}

async fn exposed(
    response: &Client,
    incident: IncidentId,
    level: Level,
    field: Field,
) -> Result<RoaringBitmap, DrillError> {
    let answer = response.call(&ReadExposure { incident, level, field }).await?;
    let bitmap: io::Result<_> = RoaringBitmap::deserialize_from(answer.roaring.as_slice());
    Ok(bitmap?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_too_few_and_one_too_many_are_both_seen() {
        let mut difference = Difference::default();
        let set = |records: &[u32]| records.iter().copied().collect::<RoaringBitmap>();
        difference.compare("email read", &set(&[1]), &set(&[1]));
        assert!(difference.is_none());
        difference.compare("name read", &set(&[1, 2, 3]), &set(&[2, 3, 4]));
        assert_eq!((difference.missed, difference.wrong), (1, 1));
        assert!(!difference.is_none());
        assert_eq!(difference.in_words(), "name read: 1 missed, 1 wrong");
    }
}
