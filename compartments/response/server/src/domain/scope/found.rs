//! What a log says of fallen hosts: by its index, or entry by entry.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{
    CallerName, Domain, Field, FieldSet, Glance, Glancer, Operation, Record, Timestamp,
};
use cofferdam_index::{IndexKey, SegmentIndex};
use keys_api::{Entry, Event};
use response_api::{Doubt, Level};
use roaring::{MultiOps as _, RoaringBitmap};

use super::{Bitmaps, Fallen, SIGN_IN, Share, Window, add};
use crate::domain::access::{self, AccessEntry};

/// So many accesses that count as everybody's are kept to be shown.
const MAX_UNRESOLVED: usize = 1_000;

/// What a log tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogKind {
    /// What `keys` gave out.
    Release,
    /// What another system's log told.
    Access,
}

impl LogKind {
    /// Reads its entries.
    #[must_use]
    pub fn glance(self) -> Glancer {
        match self {
            Self::Release => keys_api::glance,
            Self::Access => access::glance,
        }
    }
}

/// What was found of fallen hosts in a window, in memory that grows with the records exposed and
/// not with the log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Released to a fallen host.
    pub read: Bitmaps,
    /// Typed at, or brought to, a fallen host.
    pub presented: Bitmaps,
    /// The latest instant in the log, in milliseconds since 1970.
    pub last_ms: Option<i64>,
    /// Callers and compartments that the log names.
    pub seen: BTreeSet<CallerName>,
    /// Domains whose keys went through a fallen host at any time.
    pub fronted: BTreeSet<Domain>,
    /// Whether a warrant was opened before the window's end: the fallen holder could draw on it.
    pub warrants: BTreeSet<CallerName>,
    /// Fields of which everybody's count, since nobody can be told.
    pub everybody: BTreeMap<Level, FieldSet>,
    /// The accesses for which they do: the first of them, and how many in all.
    pub unresolved: (Vec<AccessEntry>, u64),
    /// What could not be known for sure.
    pub doubts: Vec<Doubt>,
}

impl Found {
    /// Takes what indexes say; bitmaps of the same kind become one in a single go. Hours that lie
    /// only partly in the window come back, to be looked at entry by entry: a place among
    /// `indexes`, and a part there.
    pub fn take_indexes(
        &mut self,
        kind: LogKind,
        indexes: &[SegmentIndex],
        fallen: &Fallen,
        window: Window,
    ) -> Vec<(usize, usize)> {
        let mut open = Vec::new();
        let mut same: BTreeMap<(Level, Field), Vec<&RoaringBitmap>> = BTreeMap::new();
        for (place, index) in indexes.iter().enumerate() {
            let shares: Vec<_> = index.parts.iter().map(|part| window.share(part)).collect();
            for (part, share) in index.parts.iter().zip(&shares) {
                self.last_ms = self.last_ms.max(Some(part.last_ms));
                if *share == Share::Doubtful {
                    self.doubts.push(clock_went_back(part.first_ms, part.back_ms));
                }
            }
            for key in &index.keys {
                self.see(&key.caller, &key.via, key.field.map(Field::domain), fallen);
            }
            let counts = |part: u16| {
                matches!(shares.get(usize::from(part)), Some(Share::Whole | Share::Doubtful))
            };
            let hours = index.bitmaps.iter().flat_map(|(key, parts)| {
                let whole = parts.iter().filter(|(part, _)| counts(*part));
                whole.map(move |(_, records)| (key, records))
            });
            for (key, records) in hours.chain(&index.whole) {
                for place in places(key, fallen) {
                    same.entry(place).or_default().push(records);
                }
            }
            for notable in &index.notable {
                self.take_notable(kind, &notable.entry, fallen, window);
            }
            let partly = shares.iter().enumerate().filter(|(_, share)| **share == Share::Some);
            open.extend(partly.map(|(part, _)| (place, part)));
        }
        for ((level, field), records) in same {
            *self.at(level).entry(field).or_default() |= records.into_iter().union();
        }
        open
    }

    /// Takes whose data one entry touched, if it lies in the window. The same as what an index
    /// says of it, straight from the definition.
    pub fn take_touch(&mut self, glance: &Glance<'_>, fallen: &Fallen, window: Window) {
        let Some(touch) = &glance.touch else { return };
        if !window.holds(glance.at) {
            return;
        }
        let Some(level) = fallen.level(touch.caller, touch.via, touch.operation) else { return };
        let known = || touch.records.iter().filter(|record| **record != Record::NOBODY);
        let fields = if touch.operation == Operation::Harden {
            SIGN_IN.to_vec()
        } else {
            touch.fields.iter().collect()
        };
        for field in fields {
            self.at(level).entry(field).or_default().extend(known().map(|record| record.0));
        }
    }

    /// Takes everything that one entry says.
    pub fn take_entry(
        &mut self,
        kind: LogKind,
        bytes: &[u8],
        fallen: &Fallen,
        window: Window,
    ) -> bool {
        kind.glance()(bytes, &mut |glance| {
            self.last_ms = self.last_ms.max(Some(glance.at.as_millisecond()));
            if let Some(touch) = &glance.touch {
                let domains: BTreeSet<_> = touch.fields.iter().map(Field::domain).collect();
                for domain in domains.into_iter().map(Some).chain([None]) {
                    self.see(touch.caller, touch.via, domain, fallen);
                }
            }
            self.take_touch(glance, fallen, window);
            if glance.notable {
                self.take_notable(kind, bytes, fallen, window);
            }
        })
    }

    /// Adds what another part of the log said.
    pub fn merge(&mut self, other: Self) {
        add(&mut self.read, &other.read);
        add(&mut self.presented, &other.presented);
        self.last_ms = self.last_ms.max(other.last_ms);
        self.seen.extend(other.seen);
        self.fronted.extend(other.fronted);
        self.warrants.extend(other.warrants);
        self.doubts.extend(other.doubts);
        for (level, fields) in other.everybody {
            let all = self.everybody.entry(level).or_default();
            *all = all.union(fields);
        }
        let (first, count) = other.unresolved;
        let room = MAX_UNRESOLVED.saturating_sub(self.unresolved.0.len());
        self.unresolved.0.extend(first.into_iter().take(room));
        self.unresolved.1 += count;
    }

    fn at(&mut self, level: Level) -> &mut Bitmaps {
        if level == Level::Read { &mut self.read } else { &mut self.presented }
    }

    fn see(
        &mut self,
        caller: &CallerName,
        via: &CallerName,
        domain: Option<Domain>,
        fallen: &Fallen,
    ) {
        for name in [caller, via] {
            if !self.seen.contains(name) {
                self.seen.insert(name.clone());
            }
        }
        if let Some(domain) = domain
            && fallen.callers().contains(via)
        {
            self.fronted.insert(domain);
        }
    }

    fn take_notable(&mut self, kind: LogKind, bytes: &[u8], fallen: &Fallen, window: Window) {
        match kind {
            LogKind::Release => {
                if let Ok(entry) = Entry::decode(bytes) {
                    self.take_event(&entry, window);
                }
            }
            LogKind::Access => {
                if let Ok(entry) = AccessEntry::decode(bytes) {
                    self.take_unresolved(entry, fallen, window);
                }
            }
        }
    }

    fn take_unresolved(&mut self, entry: AccessEntry, fallen: &Fallen, window: Window) {
        let level = fallen.level(&entry.caller, &entry.via, entry.operation);
        let Some(level) = level.filter(|_| window.holds(entry.at())) else { return };
        let all = self.everybody.entry(level).or_default();
        *all = all.union(entry.fields);
        self.unresolved.1 += 1;
        if self.unresolved.0.len() < MAX_UNRESOLVED {
            self.unresolved.0.push(entry);
        }
    }

    fn take_event(&mut self, entry: &Entry, window: Window) {
        match &entry.event {
            Event::Recovered { bytes_cut } if window.holds(entry.at) => self.doubts.push(Doubt {
                what: format!(
                    "at {} the release log was cut by {bytes_cut} bytes after a crash of keys; no \
                     answer had left for what they held",
                    entry.at
                ),
                counts_as_read: false,
            }),
            Event::WarrantOpened { caller, .. } if entry.at.as_millisecond() <= window.to_ms => {
                self.warrants.insert(caller.clone());
            }
            _ => {}
        }
    }
}

/// Where the records of a key belong.
fn places(key: &IndexKey, fallen: &Fallen) -> Vec<(Level, Field)> {
    let Some(level) = fallen.level(&key.caller, &key.via, key.operation) else {
        return Vec::new();
    };
    match (key.field, key.operation) {
        (Some(field), _) => vec![(level, field)],
        (None, Operation::Harden) => SIGN_IN.map(|field| (level, field)).to_vec(),
        (None, _) => Vec::new(),
    }
}

fn clock_went_back(at_ms: i64, by_ms: i64) -> Doubt {
    let at =
        Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |t| t.to_string());
    Doubt {
        what: format!(
            "in the hour from {at} the clock of keys went back by {} s: the whole hour counts as \
             within the window",
            by_ms / 1_000
        ),
        counts_as_read: false,
    }
}

#[cfg(test)]
#[path = "found_tests.rs"]
mod tests;
