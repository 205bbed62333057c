//! Raising alarms: the first of a kind and caller in a minute is written at once, its repeats are
//! counted and written every second.

use std::collections::HashMap;
use std::sync::Arc;

use cofferdam_core::{CallerName, Clock};
use cofferdam_store::{Db, StoreError};
use keys_api::{Alarm, AlarmKind};
use tokio::sync::Mutex;

use crate::store;

/// How long repeats are counted on one alarm.
const GROUP_MS: i64 = 60_000;

/// Raises alarms.
pub struct Alarms {
    db: Db,
    clock: Arc<dyn Clock>,
    groups: Mutex<Groups>,
}

struct Groups {
    newest: u64,
    open: HashMap<(AlarmKind, Option<CallerName>), Group>,
}

struct Group {
    alarm: Alarm,
    /// Repeats that the database has not seen.
    dirty: bool,
}

impl Alarms {
    /// Goes on where the database ends.
    pub async fn open(db: Db, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let newest = store::newest_alarm(&db).await?;
        Ok(Self { db, clock, groups: Mutex::new(Groups { newest, open: HashMap::new() }) })
    }

    /// Raises an alarm. A database that fails is logged: the refusal that rang must still go out.
    pub async fn ring(&self, kind: AlarmKind, caller: Option<&CallerName>, detail: String) {
        let now = self.clock.now();
        let mut groups = self.groups.lock().await;
        let key = (kind, caller.cloned());
        if let Some(group) = groups.open.get_mut(&key)
            && now.as_millisecond() - group.alarm.first.as_millisecond() < GROUP_MS
        {
            group.alarm.last = now;
            group.alarm.count += 1;
            group.dirty = true;
            return;
        }
        tracing::warn!(
            kind = kind.as_str(),
            caller = caller.map(CallerName::as_str),
            detail,
            "alarm"
        );
        groups.newest += 1;
        let alarm = Alarm {
            seq: groups.newest,
            first: now,
            last: now,
            kind,
            caller: key.1.clone(),
            count: 1,
            detail,
        };
        if let Err(e) = store::insert_alarm(&self.db, &alarm).await {
            tracing::error!(cause = %e, "an alarm could not be written");
        }
        let before = groups.open.insert(key, Group { alarm, dirty: false });
        if let Some(Group { alarm, dirty: true }) = before {
            self.update(&mut groups.newest, alarm).await;
        }
    }

    /// Writes the repeats counted so far.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let now = self.clock.now().as_millisecond();
        let mut groups = self.groups.lock().await;
        let Groups { newest, open } = &mut *groups;
        for group in open.values_mut().filter(|group| group.dirty) {
            *newest += 1;
            let old = std::mem::replace(&mut group.alarm.seq, *newest);
            store::update_alarm(&self.db, old, &group.alarm).await?;
            group.dirty = false;
        }
        open.retain(|_, group| now - group.alarm.first.as_millisecond() < GROUP_MS);
        Ok(())
    }

    async fn update(&self, newest: &mut u64, mut alarm: Alarm) {
        *newest += 1;
        let old = std::mem::replace(&mut alarm.seq, *newest);
        if let Err(e) = store::update_alarm(&self.db, old, &alarm).await {
            tracing::error!(cause = %e, "an alarm's repeats could not be written");
        }
    }
}
