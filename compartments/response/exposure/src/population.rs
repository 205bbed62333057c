//! Everybody's coarse attributes as bitmaps. They count an exposure in milliseconds, whatever the
//! number of customers.

use std::collections::BTreeMap;

use accounts_api::{Changes, CoarseRow};
use cofferdam_core::{Domain, Field, FieldSet, Record};
use roaring::RoaringBitmap;

use crate::Bitmaps;

pub use accounts_api::Coarse;

/// The people of an incident, by the attributes that are known in clear.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Population {
    /// The records of everybody.
    pub everyone: RoaringBitmap,
    /// The records in which each field is filled.
    pub filled: Bitmaps,
    /// The records by country and region, as `US-KY` or `DE`; `unknown` without a country.
    pub jurisdictions: BTreeMap<String, RoaringBitmap>,
    /// The records by language.
    pub languages: BTreeMap<String, RoaringBitmap>,
    /// The records of people who are known to be minors.
    pub minors: RoaringBitmap,
}

impl Population {
    /// Adds customers, or replaces their attributes.
    pub fn put(&mut self, rows: &[CoarseRow]) {
        let known: RoaringBitmap = rows.iter().map(|row| row.record.0).collect();
        if !self.everyone.is_disjoint(&known) {
            self.remove(&(&known & &self.everyone));
        }
        for row in rows {
            self.add(row.record, &row.coarse, row.filled);
        }
    }

    /// Adds a person who is not in the population yet.
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

    /// Those of some fields of which the population says nothing. A shop may hold them in a table that
    /// was not brought.
    #[must_use]
    pub fn unknown(&self, fields: FieldSet) -> FieldSet {
        let unknown = |field: &Field| self.filled.get(field).is_none_or(RoaringBitmap::is_empty);
        let of_customers = fields.iter().filter(|field| field.domain() == Domain::Accounts);
        of_customers.filter(unknown).collect()
    }

    /// Takes it that everybody has these fields.
    pub fn assume(&mut self, fields: FieldSet) {
        let everybody = |field| (field, self.everyone.clone());
        self.filled.extend(fields.iter().map(everybody));
    }

    /// Applies a page of changes.
    pub fn apply(&mut self, changes: &Changes) {
        self.put(&changes.rows);
        self.remove(&changes.gone.iter().map(|Record(record)| record).collect());
    }

    /// Counts records by country and region.
    #[must_use]
    pub fn count_jurisdictions(&self, records: &RoaringBitmap) -> BTreeMap<String, u64> {
        count_groups(&self.jurisdictions, records)
    }

    /// Counts records by language.
    #[must_use]
    pub fn count_languages(&self, records: &RoaringBitmap) -> BTreeMap<String, u64> {
        count_groups(&self.languages, records)
    }

    fn remove(&mut self, records: &RoaringBitmap) {
        self.everyone -= records;
        self.minors -= records;
        let groups = self.jurisdictions.values_mut().chain(self.languages.values_mut());
        for group in groups.chain(self.filled.values_mut()) {
            *group -= records;
        }
    }

    /// Every bitmap under the name by which it is stored.
    pub fn parts(&self) -> impl Iterator<Item = (String, &RoaringBitmap)> {
        let filled = self.filled.iter().map(|(field, of)| (format!("filled/{field}"), of));
        let places =
            self.jurisdictions.iter().map(|(name, of)| (format!("jurisdiction/{name}"), of));
        let languages = self.languages.iter().map(|(name, of)| (format!("language/{name}"), of));
        let whole = [("everyone".to_owned(), &self.everyone), ("minors".to_owned(), &self.minors)];
        whole.into_iter().chain(filled).chain(places).chain(languages)
    }

    /// Restores the bitmap with this name; `false` if there is no such name.
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

/// The size of `records` in each group. Empty groups are left out.
fn count_groups(
    groups: &BTreeMap<String, RoaringBitmap>,
    records: &RoaringBitmap,
) -> BTreeMap<String, u64> {
    let count =
        |(name, group): (&String, &RoaringBitmap)| (name.clone(), group.intersection_len(records));
    groups.iter().map(count).filter(|(_, people)| *people > 0).collect()
}

fn jurisdiction(coarse: &Coarse) -> String {
    match (&coarse.country, &coarse.region) {
        (Some(country), Some(region)) => format!("{country}-{region}"),
        (Some(country), None) => country.to_string(),
        (None, _) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
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
    fn everybody_has_a_field_of_which_nothing_is_known() {
        let mut people = Population::default();
        people.put(&[row(1, None, false), row(2, None, false)]);
        people.filled.insert(Field::Email, [2].into_iter().collect());
        let fields = [Field::Email, Field::Phone, Field::CardNumber].into_iter().collect();
        let unknown = people.unknown(fields);
        assert_eq!(unknown, FieldSet::EMPTY.with(Field::Phone));
        people.assume(unknown);
        assert_eq!(people.filled[&Field::Phone], people.everyone);
        assert_eq!(
            people.filled[&Field::Email],
            [2].into_iter().collect(),
            "it is known who has one"
        );
    }

    #[test]
    fn a_customer_who_moves_counts_once_and_one_who_leaves_no_more() {
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
        assert_eq!(people.count_jurisdictions(&all), BTreeMap::from([("DE".to_owned(), 1)]));
        assert_eq!(people.count_languages(&all), BTreeMap::from([("en".to_owned(), 1)]));
        assert_eq!((people.everyone.len(), people.minors.len()), (1, 0));
        assert_eq!(people.filled[&Field::Name], [1].into_iter().collect());

        let mut again = Population::default();
        for (name, records) in people.parts() {
            assert!(again.set_part(&name, records.clone()));
        }
        assert_eq!(again, people);
        for unknown in ["filled/soul", "nobody", "street/1"] {
            assert!(!again.set_part(unknown, RoaringBitmap::new()), "{unknown}");
        }
        assert_eq!(again, people);
    }
}
