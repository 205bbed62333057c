//! The findings of logs about the fallen hosts in a window, taken from an index or entry by entry.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{
    CallerName, Domain, EntrySummary, Field, FieldSet, Record, SummarizeEntry, Timestamp,
};
use cofferdam_index::{IndexKey, SegmentIndex};
use keys_api::{Entry, Event};
use response_api::{DoubtCause, Level};
use roaring::{MultiOps as _, RoaringBitmap};

use crate::access::{self, AccessEntry};
use crate::bitmaps::{Levels, add, people};
use crate::exposed::Exposed;
use crate::window::Share;
use crate::{FallenHosts, Window};

/// The most unresolved accesses that are kept to be shown. All of them are counted.
const MAX_UNRESOLVED: usize = 1_000;

/// The kind of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogKind {
    /// The release log of `keys`.
    Release,
    /// An access log of another system.
    Access,
}

impl LogKind {
    /// The function that reads an entry of such a log.
    #[must_use]
    pub fn summarize(self) -> SummarizeEntry {
        match self {
            Self::Release => keys_api::summarize,
            Self::Access => access::summarize,
        }
    }
}

/// The findings about the fallen hosts. Their memory grows with the records exposed, not with the
/// log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// The records read and presented, field by field.
    pub levels: Levels,
    /// The people with a read field of `accounts` that was not read under presence.
    pub read_unattended: RoaringBitmap,
    /// The latest instant in the log, in milliseconds since 1970.
    pub last_ms: Option<i64>,
    /// The callers and compartments that the log names.
    pub seen: BTreeSet<CallerName>,
    /// The domains whose keys went through a fallen host at any time.
    pub fronted: BTreeSet<Domain>,
    /// The callers with a warrant that was opened before the window's end. A fallen holder could
    /// use it.
    pub warrants: BTreeSet<CallerName>,
    /// The fields in which everybody counts, because the customers of an access can't be told.
    pub everybody: BTreeMap<Level, FieldSet>,
    /// The first accesses whose customers can't be told.
    pub unresolved: Vec<AccessEntry>,
    /// The number of all such accesses.
    pub unresolved_count: u64,
    /// The doubts that the logs leave.
    pub doubts: Vec<DoubtCause>,
}

impl Findings {
    /// All fields that the fallen hosts read, or that were brought to them.
    #[must_use]
    pub fn fields(&self) -> FieldSet {
        let levels = [&self.levels.read, &self.levels.presented];
        let named = levels.into_iter().flat_map(|fields| fields.keys().copied());
        self.everybody.values().copied().fold(named.collect(), FieldSet::union)
    }

    /// Adds the records that the indexes of segments show. Returns the hours that lie only partly
    /// in the window, each as a place in `indexes` and a place among its parts: their entries must
    /// be read.
    pub fn add_indexes(
        &mut self,
        kind: LogKind,
        indexes: &[SegmentIndex],
        hosts: &FallenHosts,
        window: Window,
    ) -> Vec<(usize, usize)> {
        let mut partly_within = Vec::new();
        // Bitmaps of the same level and field are joined at once, which is far cheaper.
        let mut same: BTreeMap<(Level, Field, bool), Vec<&RoaringBitmap>> = BTreeMap::new();
        for (place, index) in indexes.iter().enumerate() {
            let shares: Vec<_> = index.parts.iter().map(|part| window.share(part)).collect();
            self.add_hours(index, &shares);
            for key in &index.keys {
                self.note_names(&key.caller, &key.via, key.field.map(Field::domain), hosts);
            }
            for notable in &index.notable {
                self.add_notable(kind, (notable.index, &notable.entry), hosts, window);
            }
            for (key, records) in bitmaps_within(index, &shares) {
                for exposed in exposed_fields(key, hosts) {
                    same.entry(exposed).or_default().push(records);
                }
            }
            let partly = shares.iter().enumerate().filter(|(_, share)| **share == Share::Some);
            partly_within.extend(partly.map(|(part, _)| (place, part)));
        }
        for (exposed, records) in same {
            self.add_records(exposed, &records.into_iter().union());
        }
        partly_within
    }

    /// Adds the records that one entry touched, if it lies in the window. This is the definition of
    /// an exposure; an index must give the same.
    pub fn add_touch(
        &mut self,
        number: u64,
        summary: &EntrySummary<'_>,
        hosts: &FallenHosts,
        window: Window,
    ) {
        let Some(touch) = &summary.touch else { return };
        if !window.holds(number, summary.at) {
            return;
        }
        let exposed = hosts.exposed(touch.caller, touch.via, touch.operation, touch.fields);
        for Exposed { level, fields, signed_in } in exposed {
            let known = touch.records.iter().filter(|record| **record != Record::NOBODY);
            let records: RoaringBitmap = known.map(|record| record.0).collect();
            for field in fields.iter() {
                self.add_records((level, field, signed_in), &records);
            }
        }
    }

    /// Adds everything that one entry shows; `false` if it can't be decoded.
    pub fn add_entry(
        &mut self,
        kind: LogKind,
        (number, bytes): (u64, &[u8]),
        hosts: &FallenHosts,
        window: Window,
    ) -> bool {
        kind.summarize()(bytes, &mut |summary| {
            self.last_ms = self.last_ms.max(Some(summary.at.as_millisecond()));
            if let Some(touch) = &summary.touch {
                let domains: BTreeSet<_> = touch.fields.iter().map(Field::domain).collect();
                for domain in domains.into_iter().map(Some).chain([None]) {
                    self.note_names(touch.caller, touch.via, domain, hosts);
                }
            }
            self.add_touch(number, summary, hosts, window);
            if summary.notable {
                self.add_notable(kind, (number, bytes), hosts, window);
            }
        })
    }

    /// Adds records that are exposed in a field at a level, and whether they were under presence.
    fn add_records(
        &mut self,
        (level, field, signed_in): (Level, Field, bool),
        records: &RoaringBitmap,
    ) {
        *self.levels.at_mut(level).entry(field).or_default() |= records;
        if level == Level::Read && !signed_in && field.domain() == Domain::Accounts {
            self.read_unattended |= records;
        }
    }

    /// Adds the records of another reading.
    fn add_levels(&mut self, other: &Self) {
        add(&mut self.levels.read, &other.levels.read);
        add(&mut self.levels.presented, &other.levels.presented);
        add(&mut self.levels.known_unset, &other.levels.known_unset);
        self.read_unattended |= &other.read_unattended;
    }

    /// Adds the findings of another part of the log, or of another log.
    pub fn merge(&mut self, other: Self) {
        self.add_levels(&other);
        self.last_ms = self.last_ms.max(other.last_ms);
        self.seen.extend(other.seen);
        self.fronted.extend(other.fronted);
        self.warrants.extend(other.warrants);
        self.doubts.extend(other.doubts);
        for (level, fields) in other.everybody {
            let all = self.everybody.entry(level).or_default();
            *all = all.union(fields);
        }
        let room = MAX_UNRESOLVED.saturating_sub(self.unresolved.len());
        self.unresolved.extend(other.unresolved.into_iter().take(room));
        self.unresolved_count += other.unresolved_count;
    }

    /// Adds the findings of a second reading, from every entry. Where the two readings disagree,
    /// both count.
    pub fn add_second_reading(&mut self, by_entry: &Self) {
        if (&self.levels, &self.read_unattended) == (&by_entry.levels, &by_entry.read_unattended) {
            return;
        }
        let exposed = self.levels.affected() ^ by_entry.levels.affected();
        let unattended = &self.read_unattended ^ &by_entry.read_unattended;
        let customers = (exposed | unattended).len();
        self.add_levels(by_entry);
        self.doubts.push(DoubtCause::IndexDisagrees { customers });
    }

    /// Adds the customers whose session passed through a fallen host.
    pub fn add_sessions(&mut self, opened: RoaringBitmap) {
        if !opened.is_empty() {
            *self.levels.presented.entry(Field::Session).or_default() |= opened;
        }
    }

    /// Adds the letters and reset codes that a fallen relay was given. A reset code opens the
    /// account, so it counts as the password.
    pub fn add_relayed(&mut self, letters: &RoaringBitmap, reset_codes: &RoaringBitmap) {
        let Levels { read, presented, .. } = &mut self.levels;
        *read.entry(Field::Name).or_default() |= letters;
        *read.entry(Field::Email).or_default() |= letters | reset_codes;
        *presented.entry(Field::Password).or_default() |= reset_codes;
        self.read_unattended |= letters | reset_codes;
        for bitmaps in [read, presented] {
            bitmaps.retain(|_, records| !records.is_empty());
        }
    }

    /// The customers with a field that a log shows as read.
    #[must_use]
    pub fn customers_read(&self) -> RoaringBitmap {
        people(&self.levels.read, Domain::Accounts)
    }

    fn add_hours(&mut self, index: &SegmentIndex, shares: &[Share]) {
        for (part, share) in index.parts.iter().zip(shares) {
            self.last_ms = self.last_ms.max(Some(part.last_ms));
            if *share == Share::Doubtful {
                let hour = Timestamp::from_millisecond(part.first_ms).unwrap_or_default();
                let seconds = part.back_ms / 1_000;
                self.doubts.push(DoubtCause::ClockWentBack { hour, seconds });
            }
        }
    }

    fn note_names(
        &mut self,
        caller: &CallerName,
        via: &CallerName,
        domain: Option<Domain>,
        hosts: &FallenHosts,
    ) {
        for name in [caller, via] {
            if !self.seen.contains(name) {
                self.seen.insert(name.clone());
            }
        }
        if let Some(domain) = domain
            && hosts.callers().contains(via)
        {
            self.fronted.insert(domain);
        }
    }

    fn add_notable(
        &mut self,
        kind: LogKind,
        (number, bytes): (u64, &[u8]),
        hosts: &FallenHosts,
        window: Window,
    ) {
        match kind {
            LogKind::Release => {
                if let Ok(entry) = Entry::decode(bytes) {
                    self.add_event(number, &entry, hosts, window);
                }
            }
            LogKind::Access => {
                if let Ok(entry) = AccessEntry::decode(bytes) {
                    self.add_unresolved(number, entry, hosts, window);
                }
            }
        }
    }

    fn add_event(&mut self, number: u64, entry: &Entry, hosts: &FallenHosts, window: Window) {
        match &entry.event {
            Event::Recovered { bytes_cut } if window.holds(number, entry.at) => {
                self.doubts.push(DoubtCause::LogCut { at: entry.at, bytes: *bytes_cut });
            }
            Event::WarrantOpened { caller, .. } if window.may_precede_end(number, entry.at) => {
                self.warrants.insert(caller.clone());
            }
            Event::StateOpened { domain, lost: Some([from, to]), .. } if from < to => {
                let (domain, from, to) = (*domain, *from, *to);
                self.doubts.push(DoubtCause::NumbersLost { domain, from, to });
            }
            // A compartment that did not fall gave no answer. A fallen one may have found anybody.
            Event::Unanswered { caller, via, count, sought, .. }
                if hosts.callers().contains(via)
                    && window.holds_earlier(number, entry.at, *sought) =>
            {
                let email = self.everybody.entry(Level::Presented).or_default();
                *email = email.with(Field::Email);
                let (caller, addresses) = (caller.clone(), u64::from(*count));
                self.doubts.push(DoubtCause::LookedUpUnknown { caller, addresses });
            }
            _ => {}
        }
    }

    fn add_unresolved(
        &mut self,
        number: u64,
        entry: AccessEntry,
        hosts: &FallenHosts,
        window: Window,
    ) {
        if !window.holds(number, entry.at()) {
            return;
        }
        let of = hosts.exposed(&entry.caller, &entry.via, entry.operation, entry.fields).next();
        let Some(exposed) = of else { return };
        let all = self.everybody.entry(exposed.level).or_default();
        *all = all.union(exposed.fields);
        self.unresolved_count += 1;
        if self.unresolved.len() < MAX_UNRESOLVED {
            self.unresolved.push(entry);
        }
    }
}

/// The bitmaps of hours that count, and those of whole segments if these were asked for.
fn bitmaps_within<'a, 's>(
    index: &'a SegmentIndex,
    shares: &'s [Share],
) -> impl Iterator<Item = (&'a IndexKey, &'a RoaringBitmap)> + use<'a, 's> {
    let counts =
        |part: u16| matches!(shares.get(usize::from(part)), Some(Share::Whole | Share::Doubtful));
    let hours = index.bitmaps.iter().flat_map(move |(key, parts)| {
        let counting = parts.iter().filter(move |(part, _)| counts(*part));
        counting.map(move |(_, records)| (key, records))
    });
    hours.chain(&index.whole)
}

/// The levels and fields at which the records of a key are exposed, and whether that was under presence.
fn exposed_fields(key: &IndexKey, hosts: &FallenHosts) -> Vec<(Level, Field, bool)> {
    let named: FieldSet = key.field.into_iter().collect();
    let all = hosts.exposed(&key.caller, &key.via, key.operation, named);
    let single = |of: Exposed| {
        let fields: Vec<_> = of.fields.iter().collect();
        fields.into_iter().map(move |field| (of.level, field, of.signed_in))
    };
    all.flat_map(single).collect()
}

#[cfg(test)]
mod tests;
