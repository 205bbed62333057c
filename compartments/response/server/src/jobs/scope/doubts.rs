//! What can't be known for sure, and what counts as read for it.

use cofferdam_core::{Domain, Timestamp};
use cofferdam_store::StoreError;
use jiff::SignedDuration;
use keys_api::AlarmKind;
use response_api::{Doubt, FeedAlarm, Incident};

use crate::app::App;
use crate::domain::scope::{Found, add, people};
use crate::jobs::Behind;
use crate::log_copy::CopyEnd;

/// So much longer is a window at both ends when the clock of `keys` was moved.
pub const CLOCK_MARGIN_MS: i64 = 3_600_000;

/// Holds what the index said against what the entries say. Where they differ, both count.
pub fn compare(found: &mut Found, by_entry: &Found) {
    let same = found.read == by_entry.read && found.presented == by_entry.presented;
    let all =
        |of: &Found| people(&of.read, Domain::Accounts) | people(&of.presented, Domain::Accounts);
    let apart = (all(found) ^ all(by_entry)).len();
    add(&mut found.read, &by_entry.read);
    add(&mut found.presented, &by_entry.presented);
    if !same {
        found.doubts.push(Doubt {
            what: format!(
                "the index and the entries of the log disagree, on {apart} customers among others: \
                 what either says counts; remove the *.index files of the copy, they are made anew"
            ),
            counts_as_read: false,
        });
    }
}

/// What the state of the copies leaves open.
pub async fn of_logs(
    app: &App,
    ends: &[CopyEnd],
    behind: Vec<Behind>,
    moved: &[FeedAlarm],
    to: Option<Timestamp>,
) -> Vec<Doubt> {
    let mut doubts: Vec<_> = behind.into_iter().map(|of| gap(of, to)).collect();
    for (log, end) in app.logs.iter().zip(ends) {
        let cosigned = log.copy.lock().await.cosigned();
        let size = cosigned.ok().flatten().map_or(0, |(_, size)| size);
        if size < end.size {
            doubts.push(Doubt {
                what: format!(
                    "entries {size} to {} of {} are not cosigned: nobody but keys vouches for them",
                    end.size, log.origin
                ),
                counts_as_read: true,
            });
        }
    }
    doubts.extend(moved.iter().map(|alarm| Doubt {
        what: format!(
            "the clock of keys was moved (alarm of {}): an hour before and after the window counts \
             as within it",
            alarm.last
        ),
        counts_as_read: false,
    }));
    doubts
}

/// A log that can't be followed: what it says from then on is not known.
fn gap(behind: Behind, to: Option<Timestamp>) -> Doubt {
    let Behind { origin, since, cause } = behind;
    let covered = to.zip(since).is_some_and(|(to, since)| to <= since);
    let since = since.map_or_else(|| "ever".to_owned(), |at| at.to_string());
    let what = if covered {
        format!("{origin} has not been followed since {since}, which is after the window: {cause}")
    } else {
        format!(
            "{origin} has not been followed since {since}: what the fallen hosts could reach \
             counts as read from then on: {cause}"
        )
    };
    Doubt { what, counts_as_read: !covered }
}

/// Alarms that the clock of `keys` was moved within a day of the window.
pub async fn moved_clocks(app: &App, incident: &Incident) -> Result<Vec<FeedAlarm>, StoreError> {
    let day = SignedDuration::from_hours(24);
    let from = incident.from.saturating_sub(day).unwrap_or(incident.from);
    let to = incident.to.map(|to| to.saturating_add(day).unwrap_or(to));
    let mut alarms = app.store.feed(0, from).await?;
    alarms.retain(|alarm| {
        alarm.kind == AlarmKind::ClockJump.as_str() && to.is_none_or(|to| alarm.first <= to)
    });
    Ok(alarms)
}
