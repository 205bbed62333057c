//! Carrying out orders that people signed. `keys` checks the signatures itself, so a fallen
//! `response` can't grant itself anything.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::WarrantSubject;
use cofferdam_wire::{Problem, to_the_end};
use keys_api::{ChangeEpoch, ChangePolicy, OpenWarrant, Signed, Warrant};
use response_api::{
    ActStage, AppliedOrder, IncidentId, JournalAct, LETTER_RUNNING, LetterId, LetterState,
    ORDER_OUTDATED, OpenedPaperPost, SignedOrder, WarrantTerms,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::contain::{void_everybody, void_set};
use super::letters::{letter_terms, paper_post_terms, status};
use crate::app::App;
use crate::staff::Author;

/// Carries out a signed order.
pub async fn apply(
    app: &Arc<App>,
    order: SignedOrder,
    by: &Author,
) -> Result<AppliedOrder, Problem> {
    match order {
        SignedOrder::Policy(signed) => {
            let call = ChangePolicy { policy: parse(signed)? };
            let act = app.act(IncidentId::NONE, by, JournalAct::ApplyOrder, "policy");
            let worker = app.clone();
            app.journalled(act, async move {
                worker.compartments.keys.call(&call).await?;
                Ok(AppliedOrder::Policy)
            })
            .await
        }
        SignedOrder::Epoch(signed) => {
            let call = ChangeEpoch { order: parse(signed)? };
            let act = app.act(IncidentId::NONE, by, JournalAct::ApplyOrder, "epoch");
            let worker = app.clone();
            app.journalled(act, async move {
                worker.compartments.keys.call(&call).await?;
                Ok(AppliedOrder::Epoch)
            })
            .await
        }
        SignedOrder::Warrant(signed) => apply_warrant(app, parse(signed)?, by).await,
        SignedOrder::Void(signed) => {
            let signed: Signed<keys_api::VoidOrder> = parse(signed)?;
            app.open_incident(IncidentId(signed.order.incident)).await?;
            let (app, by) = (app.clone(), by.clone());
            let voided = to_the_end(async move { void_everybody(&app, signed, &by).await });
            Ok(AppliedOrder::Void(voided.await??))
        }
        SignedOrder::VoidSet { order, roaring } => {
            let signed: Signed<keys_api::VoidOrder> = parse(order)?;
            app.open_incident(IncidentId(signed.order.incident)).await?;
            let roaring = STANDARD.decode(roaring);
            let roaring = roaring.map_err(|e| Problem::bad_request(format!("roaring: {e}")))?;
            Ok(AppliedOrder::Void(void_set(app, signed, roaring, by).await?))
        }
    }
}

/// Opens a warrant for the current draft: a version of a letter, or a list of postal addresses.
async fn apply_warrant(
    app: &Arc<App>,
    signed: Signed<Warrant>,
    by: &Author,
) -> Result<AppliedOrder, Problem> {
    match signed.order.subject {
        WarrantSubject::Letter { letter, .. } => {
            approve_letter(app, LetterId(letter), signed, by).await
        }
        WarrantSubject::PaperPost { letter } => {
            open_paper_post(app, LetterId(letter), signed, by).await
        }
    }
}

async fn approve_letter(
    app: &Arc<App>,
    id: LetterId,
    signed: Signed<Warrant>,
    by: &Author,
) -> Result<AppliedOrder, Problem> {
    let WarrantSubject::Letter { version, .. } = signed.order.subject else {
        return Err(outdated("the warrant is not for a letter"));
    };
    let letter = app.letter(id).await?;
    let incident = app.open_incident(letter.incident).await?;
    if letter.state == LetterState::Running {
        return Err(Problem::new(LETTER_RUNNING, "the letter is being sent"));
    }
    if app.store.version(id, version).await?.is_none() {
        return Err(outdated("the letter has no such version"));
    }
    let terms = letter_terms(app, &letter, incident.people, version).await?;
    check_terms(&signed.order, &terms)?;
    let detail = format!("letter {id}, version {version}, by {}", signers(&signed));
    let act = app.act(letter.incident, by, JournalAct::ApproveLetter, detail);
    let (worker, done) = (app.clone(), act.clone());
    app.intended(act, async move {
        let warrant = worker.compartments.keys.call(&OpenWarrant { warrant: signed }).await?;
        let done = worker.at_stage(&done, ActStage::Done);
        worker.store.set_approved(id, version, warrant, &done).await?;
        Ok(AppliedOrder::Letter(status(&worker, id).await?))
    })
    .await
}

async fn open_paper_post(
    app: &Arc<App>,
    id: LetterId,
    signed: Signed<Warrant>,
    by: &Author,
) -> Result<AppliedOrder, Problem> {
    let letter = app.letter(id).await?;
    app.open_incident(letter.incident).await?;
    check_terms(&signed.order, &paper_post_terms(app, &letter).await?)?;
    let detail = format!("letter {id}, by {}", signers(&signed));
    let act = app.act(letter.incident, by, JournalAct::OpenPaperPost, detail);
    let worker = app.clone();
    app.journalled(act, async move {
        let warrant = worker.compartments.keys.call(&OpenWarrant { warrant: signed }).await?;
        Ok(AppliedOrder::PaperPost(OpenedPaperPost { warrant: warrant.to_string() }))
    })
    .await
}

/// Refuses a warrant unless its terms are exactly those of the current draft.
fn check_terms(warrant: &Warrant, terms: &WarrantTerms) -> Result<(), Problem> {
    let is_same = warrant.incident == terms.incident
        && warrant.subject == terms.subject
        && warrant.caller == terms.caller
        && warrant.domain == terms.domain
        && warrant.fields == terms.fields
        && warrant.records == terms.records;
    if is_same { Ok(()) } else { Err(outdated("the warrant's terms are not those of the draft")) }
}

fn outdated(what: &str) -> Problem {
    Problem::new(ORDER_OUTDATED, what)
}

fn signers(signed: &Signed<Warrant>) -> String {
    let names: Vec<_> = signed.signatures.iter().map(|one| one.approver.as_str()).collect();
    names.join(" and ")
}

fn parse<T: DeserializeOwned>(signed: Value) -> Result<T, Problem> {
    serde_json::from_value(signed).map_err(|e| Problem::bad_request(format!("order.signed: {e}")))
}
