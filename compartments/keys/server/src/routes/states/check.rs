//! `POST /v1/states/check`: whether a compartment's state is its newest.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::CallerName;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{AlarmKind, CheckState, CheckedState, Event, LogCheckpoint, SeenLog, Standing};

use crate::app::App;
use crate::domain::states::judge;
use crate::store;

/// Judges the state, and notes the first one of a domain, or the beat of a known one.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<CheckState>,
) -> Result<Answer<CheckedState>, Problem> {
    app.check_front(&via, call.domain).await?;
    let now = app.now().await;
    for trouble in &call.troubles {
        let detail = format!("{via}: {trouble}");
        app.alarms.ring(now, trouble.alarm(), Some(&via), detail).await;
    }
    let newest = store::newest_state(&app.db, call.domain).await?;
    let given = app.numbers.given(call.domain).await?;
    let standing = judge(&call, newest, given);
    match standing {
        Standing::Newest if newest.is_none() => open_first(&app, &via, &call).await?,
        Standing::Newest => store::set_beat(&app.db, call.domain, call.state, call.beat).await?,
        // The compartment reads its beat again, and asks once more.
        Standing::Older if call.known.is_none() => {}
        _ => ring(&app, &via, standing).await,
    }
    let beat = newest.map(|(_, beat)| beat);
    let (numbers, log) = (given.max(call.numbers), checkpoint_since(&app, &call.seen)?);
    Ok(Answer(CheckedState { standing, numbers, beat, log: Some(log) }, encoding))
}

/// The state of this instance's log, with the proof that it extends what the compartment has seen. A
/// log that is shorter than that can prove nothing, and its checkpoint shows it.
fn checkpoint_since(app: &App, seen: &[SeenLog]) -> Result<LogCheckpoint, Problem> {
    let (note, size) = app.log.checkpoint()?;
    let seen = seen.iter().find(|of| of.log == app.log.origin()).map_or(0, |of| of.size);
    let proof = if seen <= size { app.log.consistency(seen, size)? } else { Vec::new() };
    let consistency = proof.into_iter().map(|hash| hash.0).collect();
    Ok(LogCheckpoint { log_key: app.log.verifier(), note, consistency })
}

async fn open_first(app: &App, via: &CallerName, call: &CheckState) -> Result<(), Problem> {
    let (domain, state) = (call.domain, call.state);
    let event = Event::StateOpened { domain, via: via.clone(), state, lost: None };
    app.write(app.now().await, vec![event]).await?;
    app.numbers.note(domain, call.numbers);
    Ok(store::set_state(&app.db, domain, state, call.beat).await?)
}

async fn ring(app: &App, via: &CallerName, standing: Standing) {
    let what = match standing {
        Standing::Newest => return,
        Standing::Older => "an older copy of its database",
        Standing::Missing => "an empty database",
        Standing::GivenUp => "a database that was given up for another one",
    };
    let detail = format!("{via} came with {what}");
    app.alarms.ring(app.now().await, AlarmKind::State, Some(via), detail).await;
}
