//! Raising alarms: the first of a kind and caller in a minute is written at once, its repeats are
//! counted and written every second.

use std::collections::HashMap;

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::{Db, StoreError};
use keys_api::{Alarm, AlarmKind};
use tokio::sync::Mutex;

use crate::store;

/// How long repeats are counted on one alarm.
const GROUP_MS: i64 = 60_000;

/// Raises alarms.
pub struct Alarms {
    db: Db,
    open: Mutex<HashMap<(AlarmKind, Option<CallerName>), Group>>,
}

struct Group {
    alarm: Alarm,
    /// Something that the database has not seen: repeats, or, with `seq` 0, the alarm itself.
    dirty: bool,
}

impl Alarms {
    /// Goes on where the database ends.
    pub fn new(db: Db) -> Self {
        Self { db, open: Mutex::default() }
    }

    /// Raises an alarm. A database that fails is logged, and tried again every second: the
    /// refusal that rang must still go out.
    pub async fn ring(
        &self,
        now: Timestamp,
        kind: AlarmKind,
        caller: Option<&CallerName>,
        detail: String,
    ) {
        let mut open = self.open.lock().await;
        let key = (kind, caller.cloned());
        if let Some(group) = open.get_mut(&key).filter(|group| group.takes(now)) {
            group.alarm.last = group.alarm.last.max(now);
            group.alarm.count += 1;
            group.dirty = true;
            return;
        }
        let name = caller.map(CallerName::as_str);
        tracing::warn!(kind = kind.as_str(), caller = name, detail, "alarm");
        metrics::counter!("cofferdam_alarms_total", "kind" => kind.as_str()).increment(1);
        let caller = key.1.clone();
        let alarm = Alarm { seq: 0, first: now, last: now, kind, caller, count: 1, detail };
        let mut group = Group { alarm, dirty: true };
        if let Err(e) = group.write(&self.db).await {
            tracing::error!(cause = %e, "an alarm could not be written");
        }
        let before = open.insert(key, group);
        if let Some(mut before) = before.filter(|group| group.dirty)
            && let Err(e) = before.write(&self.db).await
        {
            tracing::error!(cause = %e, "an alarm's repeats could not be written");
        }
    }

    /// Writes the repeats counted so far.
    pub async fn flush(&self, now: Timestamp) {
        let mut open = self.open.lock().await;
        for group in open.values_mut().filter(|group| group.dirty) {
            if let Err(e) = group.write(&self.db).await {
                tracing::error!(cause = %e, "an alarm's repeats could not be written");
            }
        }
        open.retain(|_, group| group.takes(now));
    }
}

impl Group {
    fn takes(&self, now: Timestamp) -> bool {
        now.as_millisecond() - self.alarm.first.as_millisecond() < GROUP_MS
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
