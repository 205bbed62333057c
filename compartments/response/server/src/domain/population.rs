//! Whose data it is: everybody's coarse attributes as bitmaps, so that counting an exposure takes
//! milliseconds whatever the number of customers.

use std::collections::BTreeMap;

use accounts_api::{Changes, CoarseRow};
use cofferdam_core::{FieldSet, Record};
use roaring::RoaringBitmap;

use super::scope::Bitmaps;

pub use accounts_api::Coarse;

/// Everybody, by what is known in clear.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Population {
    /// Every record.
    pub everyone: RoaringBitmap,
    /// Who has which field.
    pub filled: Bitmaps,
    /// By `US-KY`, `DE`, or `unknown`.
    pub jurisdictions: BTreeMap<String, RoaringBitmap>,
    /// By language.
    pub languages: BTreeMap<String, RoaringBitmap>,
    /// Known to be minors.
    pub minors: RoaringBitmap,
}

impl Population {
    /// Takes customers as they are now.
    pub fn put(&mut self, rows: &[CoarseRow]) {
        let known: RoaringBitmap = rows.iter().map(|row| row.record.0).collect();
        if !self.everyone.is_disjoint(&known) {
            self.remove(&(&known & &self.everyone));
        }
        for row in rows {
            self.add(row.record, &row.coarse, row.filled);
        }
    }

    /// Takes somebody who is not there yet.
    pub fn add(&mut self, record: Record, coarse: &Coarse, filled: FieldSet) {
        let record = record.0;
        self.everyone.insert(record);
        for field in filled.iter() {
            self.filled.entry(field).or_default().insert(record);
        }
        self.jurisdictions.entry(jurisdiction(coarse)).or_default().insert(record);
        self.languages.entry(coarse.language.to_string()).or_default().insert(record);
        if coarse.minor {
            self.minors.insert(record);
        }
    }

    /// Takes what changed.
    pub fn apply(&mut self, changes: &Changes) {
        self.put(&changes.rows);
        self.remove(&changes.gone.iter().map(|Record(record)| record).collect());
    }

    fn remove(&mut self, records: &RoaringBitmap) {
        self.everyone -= records;
        self.minors -= records;
        let groups = self.jurisdictions.values_mut().chain(self.languages.values_mut());
        for group in groups.chain(self.filled.values_mut()) {
            *group -= records;
        }
    }

    /// Every bitmap by a name.
    pub fn parts(&self) -> impl Iterator<Item = (String, &RoaringBitmap)> {
        let filled = self.filled.iter().map(|(field, of)| (format!("filled/{field}"), of));
        let places =
            self.jurisdictions.iter().map(|(name, of)| (format!("jurisdiction/{name}"), of));
        let languages = self.languages.iter().map(|(name, of)| (format!("language/{name}"), of));
        let whole = [("everyone".to_owned(), &self.everyone), ("minors".to_owned(), &self.minors)];
        whole.into_iter().chain(filled).chain(places).chain(languages)
    }

    /// Puts a bitmap back under its name; `false` when the name is none.
    pub fn set_part(&mut self, name: &str, records: RoaringBitmap) -> bool {
        match name.split_once('/') {
            None if name == "everyone" => self.everyone = records,
            None if name == "minors" => self.minors = records,
            Some(("filled", field)) => match field.parse() {
                Ok(field) => {
                    self.filled.insert(field, records);
                }
                Err(_) => return false,
            },
            Some(("jurisdiction", place)) => {
                self.jurisdictions.insert(place.to_owned(), records);
            }
            Some(("language", language)) => {
                self.languages.insert(language.to_owned(), records);
            }
            _ => return false,
        }
        true
    }
}

/// How many of `records` stand in each group; groups without any are left out.
#[must_use]
pub fn counts(
    groups: &BTreeMap<String, RoaringBitmap>,
    records: &RoaringBitmap,
) -> BTreeMap<String, u64> {
    let count =
        |(name, of): (&String, &RoaringBitmap)| (name.clone(), of.intersection_len(records));
    groups.iter().map(count).filter(|(_, people)| *people > 0).collect()
}

/// `US-KY`, `DE`, or `unknown`.
fn jurisdiction(coarse: &Coarse) -> String {
    match (&coarse.country, &coarse.region) {
        (Some(country), Some(region)) => format!("{country}-{region}"),
        (Some(country), None) => country.to_string(),
        (None, _) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Field, FieldSet};

    use super::*;

    fn row(record: u32, country: Option<&str>, minor: bool) -> CoarseRow {
        CoarseRow {
            record: Record(record),
            coarse: Coarse {
                country: country.map(|c| c.parse().unwrap()),
                region: None,
                language: "en".parse().unwrap(),
                minor,
            },
            filled: FieldSet::EMPTY.with(Field::Name),
        }
    }

    #[test]
    fn who_moves_is_counted_once_and_who_goes_no_more() {
        let mut people = Population::default();
        people.put(&[row(1, Some("US"), false), row(2, None, true)]);
        let changes = Changes {
            last: 9,
            newest: 9,
            more: false,
            forgotten: false,
            rows: vec![row(1, Some("DE"), false)],
            gone: vec![Record(2)],
        };
        people.apply(&changes);
        let all = [1, 2].into_iter().collect();
        assert_eq!(counts(&people.jurisdictions, &all), BTreeMap::from([("DE".to_owned(), 1)]));
        assert_eq!((people.everyone.len(), people.minors.len()), (1, 0));

        let mut again = Population::default();
        for (name, records) in people.parts() {
            assert!(again.set_part(&name, records.clone()));
        }
        assert_eq!(again, people);
        assert!(!again.set_part("filled/soul", RoaringBitmap::new()));
    }
}
