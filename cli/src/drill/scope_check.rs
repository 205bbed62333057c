//! Holds the exposure, which was computed from the log alone, against the truth.

use std::collections::BTreeMap;
use std::io;

use cofferdam_core::Field;
use cofferdam_wire::Client;
use response_api::{IncidentId, Level, ReadExposure};
use roaring::RoaringBitmap;

use super::tally::{Fields, Tally};
use crate::CommandError;

/// How far exposure and truth are apart, in fields of records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In the truth, not in the exposure.
    pub missed: u64,
    /// In the exposure, not in the truth.
    pub wrong: u64,
    /// Where, field by field, in words.
    pub places: Vec<String>,
    /// Customers of whom each field was read; decoys, where nobody lives, are left out.
    pub read: BTreeMap<Field, u64>,
}

/// Compares every field at both levels.
pub async fn compare(
    response: &Client,
    incident: IncidentId,
    truth: &Tally,
    customers: &RoaringBitmap,
) -> Result<Difference, CommandError> {
    let mut difference = Difference::default();
    for field in Field::ALL.iter().copied() {
        let of = |fields: &Fields| fields.get(&field).cloned().unwrap_or_default();
        let (read, shown) = (of(&truth.read), of(&truth.presented));
        let found = exposed(response, incident, Level::Read, field).await?;
        difference.add(&format!("{field} read"), &read, &found);
        let people = found.intersection_len(customers);
        difference.read.extend((people > 0).then_some((field, people)));

        let found = exposed(response, incident, Level::Presented, field).await?;
        difference.add(&format!("{field} presented"), &shown, &found);
    }
    Ok(difference)
}

impl Difference {
    fn add(&mut self, place: &str, truth: &RoaringBitmap, found: &RoaringBitmap) {
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
) -> Result<RoaringBitmap, CommandError> {
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
        difference.add("name read", &set(&[1, 2, 3]), &set(&[2, 3, 4]));
        difference.add("email read", &set(&[1]), &set(&[1]));
        assert_eq!((difference.missed, difference.wrong), (1, 1));
        assert_eq!(difference.places, ["name read: 1 missed, 1 wrong"]);
    }
}
