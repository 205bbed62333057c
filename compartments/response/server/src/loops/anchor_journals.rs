//! Anchors the journals in the release log, one attempt at a time. An attempt covers every act since
//! the one before, so acts that arrive together share it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::JournalHead;
use cofferdam_store::StoreError;
use cofferdam_wire::CallError;
use keys_api::{AlarmKind, AnchorJournal, JOURNAL_CONTRADICTS};
use response_api::{BrokenJournal, IncidentId, check_anchor, check_journal};

use crate::app::App;

/// The pause after which the journals are looked at again. Other workers add to them.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The pause after an attempt that failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A journal that is not anchored.
#[derive(Debug, thiserror::Error)]
enum NotAnchored {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the journal of incident {0} contradicts its anchor")]
    Contradicts(IncidentId),
}

/// Runs for as long as it is polled.
pub async fn anchor_journals(app: Arc<App>) {
    let mut journalled = app.store.journalled();
    let mut known = BTreeMap::new();
    loop {
        let commits = *journalled.borrow_and_update();
        let trouble = anchor_all(&app, &mut known).await.err();
        let pause = if trouble.is_some() { RETRY_AFTER } else { LOOK_EVERY };
        if let Some(cause) = &trouble {
            tracing::warn!(%cause, "the journals are not anchored");
        }
        let trouble = trouble.map(|e| e.to_string());
        app.anchoring.end_attempt(commits, trouble, &app.state.health());
        // The attempt is over before the next begins, however long `keys` took: it must get the
        // ends of a journal in their order.
        let _ = tokio::time::timeout(pause, journalled.changed()).await;
    }
}

/// The last answer of `keys` about a journal's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    Anchored(JournalHead),
    Refused(JournalHead),
}

/// Anchors each journal whose end `keys` does not have. An end that was refused is not brought
/// again, because each refusal rings.
async fn anchor_all(
    app: &App,
    known: &mut BTreeMap<IncidentId, Answered>,
) -> Result<(), NotAnchored> {
    let _one_worker = app.store.anchor_turn().await?;
    for (incident, end) in app.store.journal_ends().await? {
        let answered = known.get(&incident);
        if [Answered::Anchored(end), Answered::Refused(end)].iter().any(|of| Some(of) == answered) {
            continue;
        }
        match app.compartments.keys.call(&AnchorJournal { journal: incident.0, end }).await {
            Ok(()) => known.insert(incident, Answered::Anchored(end)),
            Err(e) if e.is(JOURNAL_CONTRADICTS) => {
                tell_broken(app, incident, e.to_string()).await?;
                known.insert(incident, Answered::Refused(end))
            }
            Err(e) => return Err(e.into()),
        };
    }
    let refused = known.iter().find(|(_, answered)| matches!(answered, Answered::Refused(_)));
    refused.map_or(Ok(()), |(incident, _)| Err(NotAnchored::Contradicts(*incident)))
}

/// Holds each journal against its anchors in the copies of the logs. Every entry is read if the journal
/// was anchored again since the last look, because somebody may have rewritten it before that.
pub async fn check_journals(app: &App) -> Result<(), StoreError> {
    let mut all: BTreeMap<IncidentId, Vec<JournalHead>> = BTreeMap::new();
    for log in &app.logs.followed {
        for (journal, ends) in log.copy.lock().await.anchors().ends() {
            all.entry(journal).or_default().extend(ends);
        }
    }
    for (journal, anchors) in all {
        if let Err(broken) = check_one(app, journal, &anchors).await? {
            tell_broken(app, journal, broken.to_string()).await?;
        }
    }
    app.anchoring.show(&app.state.health());
    Ok(())
}

async fn check_one(
    app: &App,
    journal: IncidentId,
    anchors: &[JournalHead],
) -> Result<Result<(), BrokenJournal>, StoreError> {
    let Some(longest) = anchors.iter().max_by_key(|end| end.length) else { return Ok(Ok(())) };
    if app.anchoring.was_checked(journal, *longest) {
        let (found, last) = app.store.journal_entry(journal, longest.length).await?;
        return Ok(check_anchor(*longest, found.as_ref(), last));
    }
    let entries = app.store.read_journal(journal).await?;
    let checked = check_journal(&entries, anchors).map(drop);
    app.anchoring.note_checked(journal, *longest);
    Ok(checked)
}

async fn tell_broken(app: &App, journal: IncidentId, what: String) -> Result<(), StoreError> {
    if app.anchoring.note_broken(journal, what.clone()) {
        tracing::error!(journal = journal.0, what, "a journal contradicts its anchor");
    }
    let detail = format!("the journal of incident {journal} is not the one that was anchored");
    app.store.raise(AlarmKind::Journal.as_str(), &detail, app.now()).await
}
