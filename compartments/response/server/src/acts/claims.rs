//! The claims of letters, notice and report against what holds now. The table of claims is in
//! `response-letter`.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, Sha256, Timestamp};
use cofferdam_wire::{Problem, ProblemType};
use keys_api::ListCallers;
use response_api::{
    Audience, Exposure, Incident, LETTER_OUTDATED, LetterState, Notice, ORDER_OUTDATED, Voided,
};
use response_letter::{Claim, Claims, Current, Facts, Version, VoidedAll};
use response_mailing::Letter;
use roaring::RoaringBitmap;

use crate::app::App;
use crate::loops::copy_logs;
use crate::store::{Finding, VoidedSome};

/// The kind of the alarm about a published claim that no longer holds.
const CLAIM_OUTDATED: &str = "claim_outdated";

/// What holds now about an incident. The logs are brought up to date first.
pub async fn current(
    app: &App,
    incident: &Incident,
    exposure: &Exposure,
) -> Result<Current, Problem> {
    copy_logs(app).await;
    known(app, incident, exposure, frozen(app).await).await
}

/// The claims that hold now about an incident; none if it has not been scoped.
pub async fn current_claims(app: &App, incident: &Incident) -> Result<Claims, Problem> {
    match app.store.finding::<Exposure>(incident.incident, Finding::Exposure).await? {
        Some(exposure) => {
            Ok(Claims::new(incident, &exposure, &current(app, incident, &exposure).await?))
        }
        None => Ok(Claims::default()),
    }
}

/// Refuses a version of a letter that says what is no longer so.
pub async fn check_version(app: &App, letter: &Letter, version: Sha256) -> Result<(), Problem> {
    copy_logs(app).await;
    match outdated_in(app, letter, version, &frozen(app).await).await? {
        Checked::Holds => Ok(()),
        Checked::Unknown => {
            let what = "keys does not say which callers are frozen, and the letter speaks of it";
            Err(Problem::new(ProblemType::UPSTREAM, what))
        }
        Checked::Outdated(what) => Err(Problem::new(LETTER_OUTDATED, what)),
    }
}

/// Pauses each running letter that says what is no longer so, and rings for it and for a notice
/// that does. `keys` is asked once a round which callers are frozen.
pub async fn hold_to_claims(app: &App) -> Result<(), Problem> {
    let frozen = frozen(app).await;
    for letter in app.store.letters().await? {
        let Some(version) = letter.version.filter(|_| letter.state == LetterState::Running) else {
            continue;
        };
        if let Checked::Outdated(what) = outdated_in(app, &letter, version, &frozen).await? {
            app.store.pause(letter.letter, &what, None).await?;
            app.letters.room.stir();
            let detail = format!("letter {} is paused: {what}", letter.letter);
            app.store.raise(CLAIM_OUTDATED, &detail, app.now()).await?;
        }
    }
    for incident in app.store.incidents().await? {
        if incident.closed.is_none() {
            hold_notice(app, &incident, &frozen).await?;
        }
    }
    Ok(())
}

/// The result of checking the claims of a version.
enum Checked {
    /// Every claim holds.
    Holds,
    /// `keys` does not answer, and a claim depends on it.
    Unknown,
    /// Some claims no longer hold. They are named in a sentence.
    Outdated(String),
}

async fn outdated_in(
    app: &App,
    letter: &Letter,
    version: Sha256,
    frozen: &Frozen,
) -> Result<Checked, Problem> {
    let incident = app.incident(letter.incident).await?;
    let exposure = app.store.finding::<Exposure>(letter.incident, Finding::Exposure).await?;
    let Some(exposure) = exposure else {
        let what = "the incident was amended, and has not been scoped since";
        return Ok(Checked::Outdated(what.to_owned()));
    };
    let to_customers = letter.audience == Audience::Customers;
    if to_customers && app.store.is_exposed_otherwise(letter.incident).await? {
        let what = "the last scope found another exposure than the letter tells people; declare \
                    another incident for what was found since";
        return Ok(Checked::Outdated(what.to_owned()));
    }
    let json = app.store.version(letter.letter, version).await?;
    let gone = || Problem::new(ORDER_OUTDATED, "the letter has no such version");
    let then = Version::parse(&json.ok_or_else(gone)?, version)?.facts;
    let known = known(app, &incident, &exposure, frozen.clone()).await?;
    let now = Facts::new(&app.config.shop, &incident, &exposure, &known, app.now());
    let outdated = then.outdated(&now, letter.audience);
    if outdated.is_empty() {
        return Ok(Checked::Holds);
    }
    let only_frozen = outdated == [Claim::Contained.to_string()];
    if known.frozen.is_none() && only_frozen {
        return Ok(Checked::Unknown);
    }
    let what = outdated.join("; ");
    Ok(Checked::Outdated(format!(
        "no longer so: {what}; the letter takes a new draft and approval"
    )))
}

async fn hold_notice(app: &App, incident: &Incident, frozen: &Frozen) -> Result<(), Problem> {
    let id = incident.incident;
    let Some(then) = app.store.finding::<Claims>(id, Finding::NoticeClaims).await? else {
        return Ok(());
    };
    let Some(exposure) = app.store.finding::<Exposure>(id, Finding::Exposure).await? else {
        return Ok(());
    };
    let known = known(app, incident, &exposure, frozen.clone()).await?;
    let mut outdated = then.outdated(&Claims::new(incident, &exposure, &known), None);
    if known.frozen.is_none() {
        outdated.retain(|claim| *claim != Claim::Contained);
    }
    if !outdated.is_empty() {
        let what: Vec<_> = outdated.iter().map(ToString::to_string).collect();
        let what = what.join("; ");
        let detail = format!("the notice of incident {id} says what is no longer so: {what}");
        app.store.raise(CLAIM_OUTDATED, &detail, app.now()).await?;
    }
    Ok(())
}

/// What holds now, by the logs as they were followed last.
async fn known(
    app: &App,
    incident: &Incident,
    exposure: &Exposure,
    frozen: Frozen,
) -> Result<Current, Problem> {
    let id = incident.incident;
    let voided = app.store.finding::<Voided>(id, Finding::Voided).await?;
    // An order whose instant was not kept proves nothing.
    let voided = voided.and_then(|of| {
        of.set_before.map(|set_before| VoidedAll { set_before, customers: of.customers })
    });
    let letters = app.store.letters_about(id).await?;
    let is_planned = |letter: &Letter| letter.audience == Audience::Customers && letter.planned;
    Ok(Current {
        frozen,
        log_disagrees: app.logs.disagree(),
        voided: voided.into_iter().collect(),
        exposed_voided: exposed_voided(app, exposure).await?,
        notice_published: app.store.finding::<Notice>(id, Finding::Notice).await?.is_some(),
        customers_planned: letters.iter().any(is_planned),
    })
}

/// The frozen callers; `None` if `keys` does not answer.
type Frozen = Option<BTreeSet<CallerName>>;

/// The callers that `keys` lists as frozen.
async fn frozen(app: &App) -> Frozen {
    let callers = app.compartments.keys.call(&ListCallers {}).await.ok()?;
    Some(callers.into_iter().filter(|of| of.frozen).map(|of| of.caller).collect())
}

/// The instants of the orders over some customers that together cover everybody exposed; empty if
/// they do not. An order from before the window's end covers nobody.
async fn exposed_voided(app: &App, exposure: &Exposure) -> Result<Vec<Timestamp>, Problem> {
    let orders =
        app.store.finding::<Vec<VoidedSome>>(exposure.incident, Finding::VoidedSome).await?;
    let mut orders = orders.unwrap_or_default();
    orders.retain(|order| order.set_before >= exposure.until);
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let mut voided = RoaringBitmap::new();
    for order in &orders {
        voided |= order.records()?;
    }
    let affected = app.levels(exposure).await?.affected();
    let covered = !affected.is_empty() && affected.is_subset(&voided);
    Ok(orders.into_iter().filter(|_| covered).map(|order| order.set_before).collect())
}
