//! `POST /v1/journals/anchor`: the end of a journal of `response` is written into the release log.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::CallerName;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use keys_api::{AlarmKind, AnchorJournal, Event, JOURNAL_CONTRADICTS};

use crate::app::App;
use crate::domain::anchors::{Anchoring, TooFast, judge};
use crate::store;

/// Anchors a journal. The anchor is logged first, so that an older database learns it again. A journal
/// that is anchored as it is takes no second entry.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<AnchorJournal>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "anchoring a journal").await?;
    let AnchorJournal { journal, end } = call;
    let mut growth = app.anchoring.lock().await;
    let anchor = store::journal_anchor(&app.db, journal).await?;
    match judge(anchor, end) {
        Ok(Anchoring::Known) => {}
        Ok(Anchoring::Longer) => {
            if let Err(too_fast) = growth.note(anchor, end.length, app.now().await) {
                return Err(refuse(&app, &by, journal, too_fast).await);
            }
            let head = end.head.0;
            let event = Event::JournalAnchored { by, journal, length: end.length, head };
            app.write(app.now().await, vec![event]).await?;
            store::raise_anchor(&app.db, journal, end).await?;
        }
        Err(contradiction) => {
            let what = format!("journal {journal} of {by}: {contradiction}");
            app.alarms.ring(app.now().await, AlarmKind::Journal, Some(&by), what.clone()).await;
            return Err(Problem::new(JOURNAL_CONTRADICTS, what));
        }
    }
    Ok(Answer((), encoding))
}

async fn refuse(app: &App, by: &CallerName, journal: u32, too_fast: TooFast) -> Problem {
    let what = format!("journal {journal} of {by}: {too_fast}");
    app.alarms.ring(app.now().await, AlarmKind::Journal, Some(by), what.clone()).await;
    Problem::new(ProblemType::BUDGET_EXHAUSTED, what).retry_after(too_fast.retry_after_s)
}
