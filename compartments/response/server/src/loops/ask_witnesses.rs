//! Holds the copies of the logs against the checkpoints that `accounts` and `payments` keep, and
//! against those in our own database. An attacker who rewrites a log on `keys` and its copy here
//! does not reach them.

use std::time::Duration;

use cofferdam_core::{ListCheckpoints, SeenCheckpoint};
use cofferdam_store::StoreError;
use cofferdam_wire::Client;
use keys_api::AlarmKind;
use response_exposure::{CopyState, Followed, SeenState, contradiction};

use crate::app::{App, Compartments};
use crate::logs::LogContradiction;

/// The longest wait for the answer of a witness.
const ANSWER: Duration = Duration::from_secs(5);

/// The checkpoints that each witness keeps, by its name. A witness that does not answer is left out.
pub type Told = Vec<(&'static str, Vec<SeenCheckpoint>)>;

/// Asks every witness. This comes before the copies are extended: a copy that was extended since must
/// have every entry that a witness saw.
pub async fn ask_witnesses(app: &App) -> Told {
    let Compartments { accounts, payments, .. } = &app.compartments;
    let own = app.store.db().seen_checkpoints();
    let (accounts, payments, own) = tokio::join!(ask(accounts), ask(payments), own);
    let all = [("accounts", accounts), ("payments", payments), ("response", own.ok())];
    all.into_iter().filter_map(|(witness, seen)| Some((witness, seen?))).collect()
}

async fn ask(witness: &Client) -> Option<Vec<SeenCheckpoint>> {
    tokio::time::timeout(ANSWER, witness.call(&ListCheckpoints {})).await.ok()?.ok()
}

/// Compares the copies with what the witnesses told, keeps the contradictions, and rings for each.
pub async fn hold_against(app: &App, told: Told, copies: &[CopyState]) -> Result<(), StoreError> {
    for (witness, seen) in told {
        let mut found = Vec::new();
        for seen in &seen {
            if let Some(reason) = compare(app, seen, copies).await {
                let (log, witness) = (seen.log.clone(), witness.to_owned());
                found.push(LogContradiction { log, witness, reason });
            }
        }
        for LogContradiction { log, witness, reason } in &found {
            tracing::error!(log, witness, reason, "a release log was rewritten or emptied");
            let detail =
                format!("{log} was rewritten or emptied: {witness} saw another state of it");
            let kind = AlarmKind::WitnessDisagreement.as_str();
            app.store.raise(kind, &detail, app.now()).await?;
        }
        app.logs.set_rewritten(witness, found);
    }
    Ok(())
}

async fn compare(app: &App, seen: &SeenCheckpoint, copies: &[CopyState]) -> Option<String> {
    let mut all = app.logs.followed.iter().zip(copies);
    let Some((log, copied)) = all.find(|(log, _)| log.origin == seen.log) else {
        return Some("no copy of it is kept here".to_owned());
    };
    let (size, same_tree) = match log.copy.lock().await.has_tree_of(&seen.note) {
        Ok(compared) => compared,
        Err(e) => return Some(e.to_string()),
    };
    let followed = match &copied.not_followed {
        None => Followed::Now,
        Some(of) => Followed::Before(of.since),
    };
    let state = SeenState { size, seen: seen.seen, same_tree };
    contradiction(&state, copied.size, followed)
}
