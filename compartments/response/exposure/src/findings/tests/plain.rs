//! The exposure in plain sets, computed straight from the definition.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, Field, Operation};
use keys_api::{Entry, Event, RecordList};

use super::super::Findings;
use crate::{Bitmaps, Levels, Window};

/// The exposed records as plain sets, which the oracle fills without bitmaps.
#[derive(Debug, Default, PartialEq)]
pub struct Plain {
    read: BTreeSet<(Field, u32)>,
    presented: BTreeSet<(Field, u32)>,
    unset: BTreeSet<(Field, u32)>,
    /// The records with a read that was not under presence.
    unattended: BTreeSet<u32>,
}

impl Plain {
    pub fn of(findings: &Findings) -> Self {
        let Levels { read, presented, known_unset, .. } = &findings.levels;
        let [read, presented, unset] = [read, presented, known_unset].map(flat);
        Self { read, presented, unset, unattended: findings.read_unattended.iter().collect() }
    }

    pub fn contains(&self, other: &Self) -> bool {
        self.read.is_superset(&other.read)
            && self.presented.is_superset(&other.presented)
            && self.unset.is_superset(&other.unset)
            && self.unattended.is_superset(&other.unattended)
    }
}

/// Computes the same in plain sets, straight from the definition.
pub fn naive(entries: &[Entry], fallen: &CallerName, window: Window) -> Plain {
    let mut plain = Plain::default();
    let within = |(number, entry): &(u64, &Entry)| window.holds(*number, entry.at);
    for (_, entry) in (0..).zip(entries).filter(within) {
        match &entry.event {
            Event::Released { caller, via, operation, fields, records, .. } => {
                let is_read = via == fallen || (caller == fallen && *operation != Operation::Seal);
                for (field, record) in pairs(fields.iter(), records) {
                    if is_read {
                        plain.read.insert((field, record));
                        if *operation != Operation::ReleasePresent {
                            plain.unattended.insert(record);
                        }
                    } else if caller == fallen {
                        plain.presented.insert((field, record));
                    }
                }
            }
            Event::Hardened { caller, via, records } if caller == fallen || via == fallen => {
                plain.presented.extend(pairs([Field::Email, Field::Password], records));
            }
            Event::Enrolled { caller, via, records, .. } if caller == fallen || via == fallen => {
                plain.presented.extend(pairs([Field::Email, Field::Password], records));
                if via == fallen {
                    plain.read.extend(pairs(Field::ALL[..6].iter().copied(), records));
                    plain.unattended.extend(records.as_slice().iter().map(|record| record.0));
                }
            }
            Event::Found { caller, via, records, .. } if caller == fallen || via == fallen => {
                plain.presented.extend(pairs([Field::Email], records));
            }
            Event::Missed { caller, via, fields, records, .. }
                if caller == fallen || via == fallen =>
            {
                plain.unset.extend(pairs(fields.iter(), records));
            }
            _ => {}
        }
    }
    plain
}

/// Each field with each record.
fn pairs(fields: impl IntoIterator<Item = Field>, records: &RecordList) -> Vec<(Field, u32)> {
    let of = |field| records.as_slice().iter().map(move |record| (field, record.0));
    fields.into_iter().flat_map(of).collect()
}

fn flat(bitmaps: &Bitmaps) -> BTreeSet<(Field, u32)> {
    bitmaps.iter().flat_map(|(f, records)| records.iter().map(|r| (*f, r))).collect()
}
