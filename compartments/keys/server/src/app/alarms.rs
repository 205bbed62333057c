//! Raises alarms. The first alarm of a kind and caller in a minute is written at once. Its repeats
//! are counted, and written every second. Grouping only counts: the alarm keeps every detail that
//! differs.

use std::collections::HashMap;
use std::fmt;

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::{Db, StoreError};
use keys_api::{Alarm, AlarmKind};
use tokio::sync::Mutex;

use crate::store;

/// The time for which repeats are counted on one alarm, in milliseconds.
const GROUP_MS: i64 = 60_000;

/// Raises alarms, and counts their repeats.
pub struct Alarms {
    db: Db,
    open: Mutex<HashMap<(AlarmKind, Option<CallerName>), Group>>,
}

/// The longest detail, in characters. A fallen compartment may report troubles of any length.
const MAX_DETAIL: usize = 1_000;
/// The most details that one alarm keeps. The log names everything.
const DETAILS: usize = 50;

/// An alarm with its repeats.
struct Group {
    alarm: Alarm,
    details: Details,
    /// Whether the database lacks something: repeats, or the alarm itself if `seq` is 0.
    dirty: bool,
}

impl Alarms {
    /// Continues after the newest alarm in the database.
    pub fn new(db: Db) -> Self {
        Self { db, open: Mutex::default() }
    }

    /// Raises an alarm. If the database fails, the failure is logged and the alarm is written
    /// later, because the refusal that raised the alarm must still go out.
    pub async fn ring(
        &self,
        now: Timestamp,
        kind: AlarmKind,
        caller: Option<&CallerName>,
        detail: String,
    ) {
        let detail = cut(detail);
        let mut open = self.open.lock().await;
        let key = (kind, caller.cloned());
        if let Some(group) = open.get_mut(&key).filter(|group| group.takes(now)) {
            group.alarm.last = group.alarm.last.max(now);
            group.alarm.count += 1;
            if group.details.add(detail) {
                group.alarm.detail = group.details.to_string();
            }
            group.dirty = true;
            return;
        }
        let name = caller.map(CallerName::as_str);
        tracing::warn!(kind = kind.as_str(), caller = name, detail, "alarm");
        metrics::counter!("cofferdam_alarms_total", "kind" => kind.as_str()).increment(1);
        let caller = key.1.clone();
        let details = Details { kept: vec![detail.clone()], more: 0 };
        let alarm = Alarm { seq: 0, first: now, last: now, kind, caller, count: 1, detail };
        let mut group = Group { alarm, details, dirty: true };
        group.write_or_log(&self.db).await;
        // The minute before may have repeats that are not written yet.
        if let Some(mut before) = open.insert(key, group) {
            before.write_or_log(&self.db).await;
        }
    }

    /// Writes the alarms and repeats that the database lacks.
    pub async fn flush(&self, now: Timestamp) {
        let mut open = self.open.lock().await;
        for group in open.values_mut() {
            group.write_or_log(&self.db).await;
        }
        open.retain(|_, group| group.takes(now) || group.dirty);
    }
}

/// The different details of one alarm.
struct Details {
    kept: Vec<String>,
    /// The number of alarms with a detail that is not kept.
    more: u64,
}

impl Details {
    /// Adds the detail of a repeat. Returns whether it says something new.
    fn add(&mut self, detail: String) -> bool {
        if self.kept.contains(&detail) {
            return false;
        }
        if self.kept.len() < DETAILS {
            self.kept.push(detail);
        } else {
            self.more += 1;
        }
        true
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kept.join("; "))?;
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more with other details"),
        }
    }
}

impl Group {
    /// Whether an alarm that is raised now is a repeat.
    fn takes(&self, now: Timestamp) -> bool {
        now.as_millisecond() - self.alarm.first.as_millisecond() < GROUP_MS
    }

    async fn write_or_log(&mut self, db: &Db) {
        if self.dirty
            && let Err(e) = self.write(db).await
        {
            tracing::error!(cause = %e, "an alarm could not be written");
        }
    }

    async fn write(&mut self, db: &Db) -> Result<(), StoreError> {
        self.alarm.seq = match self.alarm.seq {
            0 => store::insert_alarm(db, &self.alarm).await?,
            _ => store::update_alarm(db, &self.alarm).await?,
        };
        self.dirty = false;
        Ok(())
    }
}

/// A detail that is not too long.
fn cut(mut detail: String) -> String {
    if let Some((end, _)) = detail.char_indices().nth(MAX_DETAIL) {
        detail.truncate(end);
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_cut() {
        assert_eq!(cut("ü".repeat(1_001)), "ü".repeat(1_000));
        assert_eq!(cut("ü".repeat(1_000)), "ü".repeat(1_000));
    }

    #[test]
    fn every_detail_is_kept_once_and_beyond_the_bound_it_is_counted() {
        let mut details = Details { kept: vec!["web-1 opened decoy 0".to_owned()], more: 0 };
        for decoy in [3, 9, 3] {
            details.add(format!("web-1 opened decoy {decoy}"));
        }
        let three = "web-1 opened decoy 0; web-1 opened decoy 3; web-1 opened decoy 9";
        assert_eq!(details.to_string(), three);
        for decoy in 100..160 {
            assert!(details.add(format!("web-1 opened decoy {decoy}")));
        }
        assert!(!details.add("web-1 opened decoy 9".to_owned()));
        let text = details.to_string();
        assert!(text.ends_with("decoy 146; and 13 more with other details"), "{text}");
    }
}
